/** The mechanism "none" (RFC 39): a signature in form alone, for an instance of a single user. */
import { checkClaim, checkUserid, type ParsedSignature, SignatureError, signingInput } from "./signature.js";
import type { Signer } from "./signer.js";

/** @throws TypeError if `userid` is none */
export function noneSigner(userid: number): Signer {
  return {
    mechanism: "none",
    userid: checkUserid(userid),
    sign: async (payload) => `${signingInput("none", userid, payload)}.none`,
  };
}

/**
 * Accepts a signature of `userid`, the user that the verifier runs as.
 * @throws SignatureError saying which check failed
 */
export function noneVerify(signature: ParsedSignature, userid: number): void {
  checkClaim(signature, "none", userid);
  if (signature.signature !== "none") throw new SignatureError("signature is not the word none");
}
