/** Verifies "curve" signatures without a CA, in the steps of flux-security with `require-ca = false`. */

import { fromBase64 } from "../protocol/rfc42.js";
import { encoder } from "../protocol/utf8.js";
import {
  type CurveCertificate,
  certificateOf,
  decodeExact,
  SIGNATURE_SIZE,
  sameCertificate,
} from "./curve-certificate.js";
import { checkClaim, headerValue, type ParsedSignature, SignatureError } from "./signature.js";

/** Options of `curveVerify`. */
export interface CurveVerifyOptions {
  /** The user that must have signed. */
  userid: number;
  /** That user's certificate, from `sig.pub`. */
  certificate: CurveCertificate;
  /** The most age of a signature, in seconds, even if its own `xtime` is later. */
  maxTtl: number;
  /** The clock, in milliseconds since 1970. @default Date.now */
  now?: (() => number) | undefined;
}

/**
 * Accepts a signature of a certificate's key that has not expired and is not from the future. As in flux-security, clocks get
 * no tolerance.
 * @throws SignatureError naming the check that failed
 */
export async function curveVerify(signature: ParsedSignature, options: CurveVerifyOptions): Promise<void> {
  const { header } = signature;
  checkClaim(signature, "curve", options.userid);
  const certificate = certificateOf(header);
  const ctime = headerValue(header, "curve.ctime", "t");
  const xtime = headerValue(header, "curve.xtime", "t");
  if (!(await isSignedBy(certificate.publicKey, signature))) {
    throw new SignatureError("signature does not verify");
  }
  if (!sameCertificate(certificate, options.certificate)) {
    throw new SignatureError("signature has another certificate than the user");
  }
  const now = Math.floor((options.now ?? Date.now)() / 1000);
  if (xtime < now || ctime + options.maxTtl < now) throw new SignatureError("signature has expired");
  if (ctime > now) throw new SignatureError("signature was made in the future");
}

async function isSignedBy(publicKey: string, { signature, input }: ParsedSignature): Promise<boolean> {
  const bytes = new Uint8Array(decodeExact(signature, "Ed25519 signature", SIGNATURE_SIZE));
  const raw = new Uint8Array(fromBase64(publicKey));
  try {
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, bytes, encoder.encode(input));
  } catch (cause) {
    // Some runtimes check at import that the 32 bytes are a point of the curve.
    throw new SignatureError("signature has a public key that cannot be used", { cause });
  }
}
