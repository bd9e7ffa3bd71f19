/** I/O objects. Node's own encoders are several times faster than those that every runtime has. */
import { isUtf8 } from "node:buffer";
import { FluxError } from "../../src/errors.js";
import { type IoObject, ioBytes } from "../../src/protocol/rfc42.js";
import { UnpackError, unpack } from "./unpack.js";

/** The I/O object of some output: text if it is valid UTF-8, else base64 (ioencode.c ioencode). */
export function encodeIo(stream: string, rank: string, bytes: Uint8Array): IoObject {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return { stream, rank, data: buffer.toString("utf8") };
  return { stream, rank, encoding: "base64", data: buffer.toString("base64") };
}

const FORMAT = { stream: "string", rank: "string", encoding: "string?", data: "any?", eof: "any?" } as const;

/** The contents of an I/O object (ioencode.c iodecode). @throws FluxError EPROTO if `io` is not an I/O object */
export function decodeIo(io: unknown): { stream: string; bytes: Uint8Array; eof: boolean } {
  try {
    const { stream, rank, encoding, data, eof } = unpack(io, FORMAT);
    if (typeof data !== "string" && typeof eof !== "boolean") throw new TypeError("neither data nor eof");
    const text = typeof data === "string" ? { data } : {};
    const base64 = encoding === "base64" ? { encoding } : {}; // any other counts as UTF-8
    return { stream, bytes: ioBytes({ stream, rank, ...text, ...base64 }), eof: eof === true };
  } catch (cause) {
    if (!(cause instanceof UnpackError || cause instanceof TypeError)) throw cause;
    throw new FluxError("EPROTO", undefined, { cause });
  }
}
