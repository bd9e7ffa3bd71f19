import { encoder } from "../protocol/utf8.js";

/** The bytes of a chunk; UTF-8 for text. @throws TypeError if `chunk` is neither text nor bytes */
export function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === "string") return encoder.encode(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(`input is strings or Uint8Arrays, not ${chunk === null ? "null" : typeof chunk}`);
}

/**
 * Bytes in memory of their own, as `new Blob` and `new Response` take them: `Uint8Array<ArrayBuffer>`. The name works in TypeScript 5.6
 * too, in which Uint8Array has no such parameter.
 */
export type Bytes = ReturnType<Uint8Array["slice"]>;

/** Joins `pieces` into one array. */
export function concat(pieces: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
