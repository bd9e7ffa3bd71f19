/** UTF-8 to bytes, and back where every byte has to be right. */
export const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();
export const decoder: TextDecoder = /* @__PURE__ */ new TextDecoder("utf-8", {
  fatal: true,
  ignoreBOM: true,
});
