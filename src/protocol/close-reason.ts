import { encoder } from "./utf8.js";

/** RFC 6455 section 5.5: a control frame carries 125 bytes, of which a close code takes two. */
const MAX_REASON_BYTES = 123;

/** The longest beginning of `text` that a close frame carries, in whole characters. */
export function closeReason(text: string): string {
  // encodeInto writes whole characters, and returns the length of the part of `text` that it wrote.
  const { read } = encoder.encodeInto(text, new Uint8Array(MAX_REASON_BYTES));
  return text.slice(0, read);
}
