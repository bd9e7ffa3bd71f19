/** Requests that a client signed (RFC 42, "Request Authentication"), as the policy reads them. The server verifies them. */
import { type IoObject, ioBytes } from "../../src/protocol/rfc42.js";
import type { KvMap } from "../../src/signing/kv.js";
import { parseSignature, SignatureError } from "../../src/signing/signature.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";

/** A signature that cannot be read, or that is of another request. The message has the reason. */
export class SignedError extends Error {
  override readonly name = "SignedError";
}

/** A signed request, not verified. */
export interface SignedRequest {
  /** The user that the signature claims. */
  userid: number;
  /** The request's fields. */
  payload: JsonObject;
  /** Its validity from its creation on, in milliseconds; infinite if it has no expiry. */
  lifetime: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a signed request. @throws SignedError if it cannot be read, or is of another topic */
export function readSignedRequest(signature: unknown, topic: string): SignedRequest {
  if (typeof signature !== "string") throw new SignedError("signature is not a string");
  let parsed: ReturnType<typeof parseSignature>;
  let payload: unknown;
  try {
    parsed = parseSignature(signature);
    payload = JSON.parse(utf8.decode(parsed.payload));
  } catch (cause) {
    const message = cause instanceof SignatureError ? cause.message : "signature's payload is not JSON";
    throw new SignedError(message, { cause });
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

/** The write that a signature must be of. */
export interface WriteClaim {
  topic: string;
  userid: number;
  matchtag: number;
  stream: string;
}

/**
 * Reads a signed RFC 42 write.
 * @returns the number of bytes of input, and whether it ends the stream
 * @throws SignedError if it is of another write than `claim`
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

/** The kill that a signature must be of. */
export interface KillClaim {
  topic: string;
  userid: number;
  pid: number;
  signum: number;
}

/** Checks a signed RFC 42 kill. @throws SignedError unless it is of this signal to this process, and of nothing else */
export function readSignedKill(signature: string, claim: KillClaim): void {
  const { userid, payload } = readSignedRequest(signature, claim.topic);
  const { topic: _, pid, signum, ...more } = payload;
  if (userid !== claim.userid) throw new SignedError("signature is of another user");
  if (pid !== claim.pid) throw new SignedError("signature is of another process");
  if (signum !== claim.signum) throw new SignedError("signature is of another signal");
  // Beside a label, the server ignores the pid.
  if (Object.keys(more).length > 0) throw new SignedError("signature is of more than a pid and a signal");
}

/** The longest signature of a list, in characters: the proxy keeps it while the watch lasts. */
const MAX_LIST = 4096;

/** Reads a signed RFC 42 list. @throws SignedError unless it is of a list, and of nothing else */
export function readSignedList(signature: unknown, topic: string): SignedRequest {
  if (typeof signature === "string" && signature.length > MAX_LIST) {
    throw new SignedError(`signature is longer than ${MAX_LIST} characters`);
  }
  const signed = readSignedRequest(signature, topic);
  if (Object.keys(signed.payload).length > 1) throw new SignedError("signature is of more than a list");
  return signed;
}
