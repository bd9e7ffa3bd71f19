/** The objects of RFC 42 on the wire, for client, proxy and embedded broker: flags, command objects, I/O objects. */
import { decoder, encoder } from "./utf8.js";

/** `flags` of an exec request (RFC 42). The first three are also those of an attach request. */
export enum EXEC_FLAG {
  stdout = 1,
  stderr = 2,
  channel = 4,
  writeCredit = 8,
  waitable = 16,
}

/** A command (RFC 42 Command Object). */
export interface Command {
  /** The command and its arguments; at least one element. */
  cmdline: readonly string[];
  /** The working directory. @default the server's */
  cwd?: string;
  /** The environment; the server's if it is empty. */
  env: Readonly<Record<string, string>>;
  /** Options of the subprocess server, such as `stdout_LINE_BUFFER: "false"`. RFC 42 leaves them to the implementation. */
  opts: Readonly<Record<string, string>>;
  /** Names of auxiliary channels. */
  channels: readonly string[];
  /** A name for the process, unique on its rank. */
  label?: string;
}

/** Output or input of a process (RFC 42 I/O Object, RFC 24 data event context). */
export interface IoObject {
  /** "stdin", "stdout", "stderr" or the name of an auxiliary channel. */
  stream: string;
  /** An RFC 22 idset. */
  rank: string;
  /** The bytes, in `encoding`. Absent if only the end of the stream is reported. */
  data?: string;
  /** "UTF-8" or "base64". @default "UTF-8" */
  encoding?: string;
  /** True for the end of the stream. @default false */
  eof?: boolean;
}

/** The bytes of an I/O object. @throws TypeError if its encoding is unknown, or does not fit its data */
export function ioBytes(io: IoObject): Uint8Array {
  if (io.data === undefined) return new Uint8Array(0);
  if (io.encoding === undefined || io.encoding === "UTF-8") return encoder.encode(io.data);
  if (io.encoding === "base64") return fromBase64(io.data);
  throw new TypeError(`I/O object has an unknown encoding: ${io.encoding}`);
}

/**
 * An I/O object of `bytes`: text if they are valid UTF-8, else base64. Also base64 for bytes with a NUL: flux-core refuses "\u0000" in a
 * signed payload, and it would be six bytes for one.
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
  // In pieces, since the engine's stack bounds the arguments of a call. A spread would take ten times as long.
  for (let at = 0; at < bytes.length; at += 0x2000) {
    binary += String.fromCharCode.apply(null, bytes.subarray(at, at + 0x2000) as never);
  }
  return btoa(binary);
}

/** The bytes of a standard base64 text. @throws TypeError if `base64` is not base64 */
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
