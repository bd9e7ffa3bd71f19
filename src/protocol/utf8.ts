/** Text to UTF-8. */
export const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();
/** UTF-8 to text. Throws for bytes that are not UTF-8, and keeps a byte order mark. */
export const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", {
  fatal: true,
  ignoreBOM: true,
});
