/** What a client has signed (RFC 42, "Request Authentication"): read, so that it can be judged, and not verified. */
import { type IoObject, ioBytes } from "../../src/protocol/rfc42.js";
import type { KvMap } from "../../src/signing/kv.js";
import { parseSignature, SignatureError } from "../../src/signing/signature.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";

/** A signature that does not let itself be read, or that is of another request: the message says why. */
export class SignedError extends Error {
  override readonly name = "SignedError";
}

export interface SignedRequest {
  /** Who is claimed to have signed. */
  userid: number;
  /** The request's fields. */
  payload: JsonObject;
  /** For how long it is good from when it was made, in milliseconds, as far as it says so itself. */
  lifetime: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws SignedError */
export function readSignedRequest(signature: unknown, topic: string): SignedRequest {
  if (typeof signature !== "string") throw new SignedError("signature is not a string");
  let parsed: ReturnType<typeof parseSignature>;
  let payload: unknown;
  try {
    parsed = parseSignature(signature);
    payload = JSON.parse(utf8.decode(parsed.payload));
  } catch (cause) {
    const what = cause instanceof SignatureError ? cause.message : "signature's payload is not JSON";
    throw new SignedError(what, { cause });
  }
  if (!isJsonObject(payload)) throw new SignedError("signature's payload is not an object");
  if (payload["topic"] !== topic) throw new SignedError("signature is of another topic");
  return { userid: parsed.userid, payload, lifetime: lifetimeOf(parsed.header) };
}

function lifetimeOf(header: KvMap): number {
  const [ctime, xtime] = [header.get("curve.ctime"), header.get("curve.xtime")];
  if (ctime?.type !== "t" || xtime?.type !== "t") return Number.POSITIVE_INFINITY;
  return (xtime.value - ctime.value) * 1000;
}

/** What a signed write must be of. */
export interface WriteClaim {
  topic: string;
  userid: number;
  matchtag: number;
  stream: string;
}

/**
 * How many bytes of input there are in a signed RFC 42 write, and whether it ends the stream.
 * @throws SignedError if it is not the write that it was sent as
 */
export function readSignedWrite(signature: string, claim: WriteClaim): { bytes: number; eof: boolean } {
  const { userid, payload } = readSignedRequest(signature, claim.topic);
  const { matchtag, io } = payload;
  if (userid !== claim.userid) throw new SignedError("signature is of another user");
  if (matchtag !== claim.matchtag) throw new SignedError("signature is of another matchtag");
  if (!isJsonObject(io) || io["stream"] !== claim.stream) {
    throw new SignedError("signature is of another stream");
  }
  const { data, encoding } = io;
  if (
    (data !== undefined && typeof data !== "string") ||
    !["undefined", "string"].includes(typeof encoding)
  ) {
    throw new SignedError("signature has an I/O object that cannot be read");
  }
  try {
    return { bytes: ioBytes(io as unknown as IoObject).length, eof: io["eof"] === true };
  } catch (cause) {
    throw new SignedError("signature has an I/O object that cannot be read", { cause });
  }
}

/** What a signed kill must be of. */
export interface KillClaim {
  topic: string;
  userid: number;
  pid: number;
  signum: number;
}

/** Reads a signed RFC 42 kill. @throws SignedError if it is not of this signal to this process, and of that alone */
export function readSignedKill(signature: string, claim: KillClaim): void {
  const { userid, payload } = readSignedRequest(signature, claim.topic);
  const { topic: _, pid, signum, ...more } = payload;
  if (userid !== claim.userid) throw new SignedError("signature is of another user");
  if (pid !== claim.pid) throw new SignedError("signature is of another process");
  if (signum !== claim.signum) throw new SignedError("signature is of another signal");
  // A label would count, and not the pid.
  if (Object.keys(more).length > 0) throw new SignedError("signature is of more than a pid and a signal");
}

/** The longest signature of a list, in characters: the proxy holds it for as long as the watch lasts. */
const MAX_LIST = 4096;

/** Reads a signed RFC 42 list. @throws SignedError if it is not of that, and of that alone */
export function readSignedList(signature: unknown, topic: string): SignedRequest {
  if (typeof signature === "string" && signature.length > MAX_LIST) {
    throw new SignedError(`signature is longer than ${MAX_LIST} characters`);
  }
  const signed = readSignedRequest(signature, topic);
  if (Object.keys(signed.payload).length > 1) throw new SignedError("signature is of more than a list");
  return signed;
}
