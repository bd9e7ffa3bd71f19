/** The mechanism "munge" (RFC 39): a munge credential over a hash of HEADER.PAYLOAD. */
import { createHash } from "node:crypto";
import {
  checkClaim,
  checkUserid,
  type ParsedSignature,
  SignatureError,
  signingInput,
} from "../../src/signing/signature.js";
import type { Signer } from "../../src/signing/signer.js";
import { type MungeOptions, mungeDecode, mungeEncode } from "./munged.js";

/** "A single byte hash type field of 0x01 (indicating SHA-256)". */
const SHA256 = 0x01;

/** Options of `mungeSigner`. */
export interface MungeSignerOptions extends MungeOptions {
  /** The user that this process runs as: munged attests to no other user. */
  userid: number;
}

/** @throws TypeError if `userid` is not a userid */
export function mungeSigner({ userid, ...options }: MungeSignerOptions): Signer {
  return {
    mechanism: "munge",
    userid: checkUserid(userid),
    async sign(payload) {
      const input = signingInput("munge", userid, payload);
      return `${input}.${await mungeEncode(digest(input), options)}`;
    },
  };
}

/** Options of `mungeVerify`. */
export interface MungeVerifyOptions extends MungeOptions {
  /** The user that must have signed. */
  userid: number;
  /** The most age of a signature, in seconds. Munge's own, shorter time-to-live does not count. */
  maxTtl: number;
  /** The clock, in milliseconds since 1970. @default Date.now */
  now?: (() => number) | undefined;
}

/**
 * Accepts a signature if munge confirms its user and it is not too old.
 * @throws SignatureError naming the check that failed
 * @throws FluxError EPERM if the credential is not genuine; otherwise as `mungeDecode` does
 */
export async function mungeVerify(signature: ParsedSignature, options: MungeVerifyOptions): Promise<void> {
  checkClaim(signature, "munge", options.userid);
  const { uid, payload, encodeTime } = await mungeDecode(signature.signature, options);
  if (!digest(signature.input).equals(payload)) throw new SignatureError("signature is of another request");
  if (uid !== options.userid)
    throw new SignatureError(`signature is of user ${uid}, not of ${options.userid}`);
  const now = Math.floor((options.now ?? Date.now)() / 1000);
  if (encodeTime + options.maxTtl < now) throw new SignatureError("signature has expired");
}

function digest(input: string): Buffer {
  return Buffer.concat([Buffer.of(SHA256), createHash("sha256").update(input).digest()]);
}
