/**
 * Signatures (RFC 39): `HEADER.PAYLOAD.SIGNATURE`, the first two in base64. Composed and taken apart, not
 * judged.
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

/** (uid_t) -1 is nobody's. */
const MAX_USERID = 0xfffffffe;

/** The longest signature that is taken unless told otherwise, in characters. */
const DEFAULT_LIMIT = 16 * 1024 * 1024;

/** A text that is no signature, or one that does not verify: the message says why. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
}

/** A signature taken apart. Nothing in it is to be believed before the mechanism has verified it. */
export interface ParsedSignature {
  readonly header: KvMap;
  readonly mechanism: string;
  /** The user who is claimed to have signed. */
  readonly userid: number;
  readonly payload: Uint8Array;
  /** HEADER.PAYLOAD, which is what was signed. */
  readonly input: string;
  /** The mechanism's own part. */
  readonly signature: string;
}

/**
 * HEADER.PAYLOAD for a mechanism to sign.
 * @param extra the mechanism's own header entries, which follow the common ones
 * @throws TypeError if `userid` is none
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

/** `userid`, if it can be one. @throws TypeError */
export function checkUserid(userid: number): number {
  if (!isUserid(userid)) throw new TypeError(`userid ${userid} is not a user id`);
  return userid;
}

/**
 * Takes a signature apart, strictly: canonical base64, version 1, and only what RFC 39 allows.
 * @param limit the longest signature in characters
 * @throws SignatureError naming what is wrong
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
  if (!isUserid(userid)) throw new SignatureError("signature header has a userid that is none");
  return {
    header,
    mechanism: headerValue(header, "mechanism", "s"),
    userid,
    payload: decodeBase64(encodedPayload, "signature payload"),
    input: `${encodedHeader}.${encodedPayload}`,
    signature,
  };
}

/** The first check of every mechanism. @throws SignatureError if another mechanism or user is claimed */
export function checkClaim(signature: ParsedSignature, mechanism: string, userid: number): void {
  if (signature.mechanism !== mechanism) throw new SignatureError(`signature mechanism is not ${mechanism}`);
  if (signature.userid !== userid) {
    throw new SignatureError(`signature is of user ${signature.userid}, not of ${userid}`);
  }
}

/** The value of a header entry that must be there. @throws SignatureError if it is not, or of another type */
export function headerValue<T extends KvType>(header: KvMap, key: string, type: T): KvTypes[T] {
  const entry = header.get(key);
  if (entry?.type !== type) throw new SignatureError(`signature header has no ${key}, or not of its type`);
  return entry.value as KvTypes[T];
}

/**
 * The bytes of a base64 text in its one canonical form, as libsodium reads it: padded, no spaces, no stray
 * bits.
 * @throws SignatureError naming `what` it was
 */
export function decodeBase64(base64: string, what: string): Uint8Array {
  try {
    const bytes = fromBase64(base64);
    // atob is forgiving, and two texts for the same bytes would be two signatures.
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

function isUserid(userid: number): boolean {
  return Number.isInteger(userid) && userid >= 0 && userid <= MAX_USERID;
}
