/**
 * Signatures (RFC 39): `HEADER.PAYLOAD.SIGNATURE`, the first two in base64. This module formats and parses; each mechanism
 * verifies.
 */

import { fromBase64, toBase64 } from "../protocol/rfc42.js";
import { encoder } from "../protocol/utf8.js";
import {
  decodeKv,
  encodeKv,
  type KvError,
  type KvMap,
  type KvType,
  type KvTypes,
  type KvValue,
} from "./kv.js";

/** "Currently must be set to 1" (RFC 39). */
const VERSION = 1n;

/** (uid_t) -1 is not a user. */
const MAX_USERID = 0xfffffffe;

/** The default limit on a signature, in characters. */
const DEFAULT_LIMIT = 16 * 1024 * 1024;

/** A text is not a signature, or a signature does not verify. The message says why. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
}

/** The parts of a signature. Nothing in them is proven before the mechanism has verified it. */
export interface ParsedSignature {
  readonly header: KvMap;
  readonly mechanism: string;
  /** The user that claims to have signed. */
  readonly userid: number;
  readonly payload: Uint8Array;
  /** HEADER.PAYLOAD, the signed text. */
  readonly input: string;
  /** The mechanism's own part. */
  readonly signature: string;
}

/**
 * HEADER.PAYLOAD for a mechanism to sign.
 * @param extra the mechanism's own header entries, which follow the common ones
 * @throws TypeError if `userid` is not a userid
 * @throws KvError if the header cannot be encoded
 */
export function signingInput(
  mechanism: string,
  userid: number,
  payload: string,
  extra: Iterable<readonly [string, KvValue]> = [],
): string {
  const header = encodeKv([
    ["version", { type: "i", value: VERSION }],
    ["mechanism", { type: "s", value: mechanism }],
    ["userid", { type: "i", value: BigInt(checkUserid(userid)) }],
    ...extra,
  ]);
  return `${toBase64(header)}.${toBase64(encoder.encode(payload))}`;
}

/** @returns `userid` @throws TypeError if it is not a userid */
export function checkUserid(userid: number): number {
  if (!isUserid(userid)) throw new TypeError(`userid ${userid} is not a userid`);
  return userid;
}

/**
 * Parses strictly: canonical base64, version 1, and nothing beyond RFC 39.
 * @param limit the longest signature, in characters
 * @throws SignatureError naming the fault
 */
export function parseSignature(text: string, limit = DEFAULT_LIMIT): ParsedSignature {
  if (text.length > limit) throw new SignatureError(`signature is over the limit of ${limit} characters`);
  const [encodedHeader, encodedPayload, signature, ...more] = text.split(".", 4);
  if (!encodedHeader || encodedPayload === undefined || !signature || more.length > 0) {
    throw new SignatureError("signature is not HEADER.PAYLOAD.SIGNATURE");
  }
  if (signature.includes("\0")) throw new SignatureError("signature has a NUL");
  const header = decodeHeader(encodedHeader);
  if (headerValue(header, "version", "i") !== VERSION) {
    throw new SignatureError("signature version is not supported");
  }
  const userid = Number(headerValue(header, "userid", "i"));
  if (!isUserid(userid)) throw new SignatureError("signature header has an invalid userid");
  return {
    header,
    mechanism: headerValue(header, "mechanism", "s"),
    userid,
    payload: decodeBase64(encodedPayload, "signature payload"),
    input: `${encodedHeader}.${encodedPayload}`,
    signature,
  };
}

/** The first check of each mechanism. @throws SignatureError if the signature claims another mechanism or user */
export function checkClaim(signature: ParsedSignature, mechanism: string, userid: number): void {
  if (signature.mechanism !== mechanism) throw new SignatureError(`signature mechanism is not ${mechanism}`);
  if (signature.userid !== userid) {
    throw new SignatureError(`signature is of user ${signature.userid}, not of ${userid}`);
  }
}

/** The value of a required header entry. @throws SignatureError if it is missing, or of another type */
export function headerValue<T extends KvType>(header: KvMap, key: string, type: T): KvTypes[T] {
  const entry = header.get(key);
  if (entry?.type !== type) throw new SignatureError(`signature header has no ${key}, or of another type`);
  return entry.value as KvTypes[T];
}

/**
 * Decodes base64 in canonical form only, as libsodium does: padded, no spaces, no stray bits.
 * @param what the name of the text in the error
 * @throws SignatureError if the text has another form
 */
export function decodeBase64(base64: string, what: string): Uint8Array {
  try {
    const bytes = fromBase64(base64);
    // atob accepts several texts for the same bytes, which would be several signatures for one request.
    if (toBase64(bytes) === base64) return bytes;
  } catch {}
  throw new SignatureError(`${what} is not base64`);
}

function decodeHeader(base64: string): KvMap {
  const bytes = decodeBase64(base64, "signature header");
  try {
    return decodeKv(bytes);
  } catch (cause) {
    throw new SignatureError(`signature header: ${(cause as KvError).message}`, { cause });
  }
}

/** True if `value` is a userid: an integer from 0, and not (uid_t) -1. */
export function isUserid(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_USERID;
}
