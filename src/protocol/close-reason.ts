import { encoder } from "./utf8.js";

/** RFC 6455 section 5.5: a control frame carries 125 bytes, of which a close code takes two. */
const MAX_REASON_BYTES = 123;

/** As much of `text` as a close frame carries, cut between two characters. */
export function closeReason(text: string): string {
  // encodeInto never writes part of a character, and says how much of `text` went in.
  const { read } = encoder.encodeInto(text, new Uint8Array(MAX_REASON_BYTES));
  return text.slice(0, read);
}
