/** What RFC 42 puts on the wire: flags, command objects, I/O objects. Shared by client, proxy and embedded broker. */
import { decoder, encoder } from "./utf8.js";

/** `flags` of an exec request; the first three are also the flags of an attach request. */
export enum EXEC_FLAG {
  stdout = 1,
  stderr = 2,
  channel = 4,
  writeCredit = 8,
  waitable = 16,
}

/** RFC 42 Command Object. */
export interface Command {
  /** The command and its arguments; at least one element. */
  cmdline: readonly string[];
  /** The working directory. Absent: the server's. */
  cwd?: string;
  /** The environment. Empty: the server's. */
  env: Readonly<Record<string, string>>;
  /** Subprocess options, such as `stdout_LINE_BUFFER: "false"`. Implementation dependent. */
  opts: Readonly<Record<string, string>>;
  /** Names of auxiliary channels. */
  channels: readonly string[];
  label?: string;
}

/** RFC 42 I/O Object (RFC 24 data event context). */
export interface IoObject {
  stream: string;
  /** An RFC 22 idset. */
  rank: string;
  data?: string;
  /** "UTF-8", the default, or "base64". */
  encoding?: string;
  eof?: boolean;
}

/** The bytes of an I/O object; none if it has no data. @throws TypeError if its data is not what its encoding says */
export function ioBytes(io: IoObject): Uint8Array {
  if (io.data === undefined) return new Uint8Array(0);
  if (io.encoding === undefined || io.encoding === "UTF-8") return encoder.encode(io.data);
  if (io.encoding === "base64") return fromBase64(io.data);
  throw new TypeError(`I/O object has an unknown encoding: ${io.encoding}`);
}

/**
 * An I/O object of `bytes`: text where they are valid UTF-8, else base64. Bytes with a NUL go as base64 too: flux-core
 * refuses "\u0000" in what is signed, and it would be six bytes for one.
 */
export function ioObject(stream: string, rank: string, bytes: Uint8Array): IoObject {
  try {
    if (!bytes.includes(0)) return { stream, rank, data: decoder.decode(bytes) };
  } catch {}
  return { stream, rank, encoding: "base64", data: toBase64(bytes) };
}

/** Standard base64 (RFC 4648 section 4) of `bytes`. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  // In pieces, since the engine's stack bounds the arguments of a call; not spread, which takes ten times as long.
  for (let at = 0; at < bytes.length; at += 0x2000) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + 0x2000) as never);
  }
  return btoa(binary);
}

/** The bytes of a standard base64 text. @throws TypeError if it is none */
export function fromBase64(base64: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(base64);
  } catch (cause) {
    throw new TypeError("data is not base64", { cause });
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
