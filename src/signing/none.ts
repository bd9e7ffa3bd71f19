/** The mechanism "none" (RFC 39): a signature without proof, for an instance with a single user. */
import { checkClaim, checkUserid, type ParsedSignature, SignatureError, signingInput } from "./signature.js";
import type { Signer } from "./signer.js";

/**
 * A signer with the mechanism "none" (RFC 39).
 * @param userid the Flux userid that signs
 * @throws TypeError if `userid` is not a userid
 */
export function noneSigner(userid: number): Signer {
  return {
    mechanism: "none",
    userid: checkUserid(userid),
    sign: async (payload) => `${signingInput("none", userid, payload)}.none`,
  };
}

/**
 * Accepts a signature of `userid`, the user that the verifier runs as.
 * @throws SignatureError naming the check that failed
 */
export function noneVerify(signature: ParsedSignature, userid: number): void {
  checkClaim(signature, "none", userid);
  if (signature.signature !== "none") throw new SignatureError("signature is not the word none");
}
