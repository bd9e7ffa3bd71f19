/** The signers of src/signing, in the form that `connect()` takes. */
import { type ClientSigner, clientSigner } from "./session/signed-calls.js";
import { type CurveSignerOptions, curveSigner as curve } from "./signing/curve.js";
import { noneSigner as none } from "./signing/none.js";

/**
 * A signer with an Ed25519 key, by flux-security's mechanism "curve".
 *
 * @param options the key, its user, and the life of a signature
 * @throws TypeError if the key cannot sign or is not the certificate's, or another option is not valid
 * @throws SignatureError if the certificate is malformed
 *
 * @example
 * ```ts
 * const key = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]); // not extractable
 * const signer = await curveSigner({ key, userid: 1002 });
 * const flux = connect(url, { token, signer });
 * console.log(signer.mechanism); // curve
 * flux.close();
 * ```
 */
export async function curveSigner(options: CurveSignerOptions): Promise<ClientSigner> {
  return clientSigner(await curve(options));
}

/**
 * A signer that proves nothing, by the mechanism "none" (RFC 39): for an instance with a single user.
 *
 * @param userid the Flux userid that signs
 * @throws TypeError if `userid` is not a userid
 *
 * @example
 * ```ts
 * const signed = connect(url, { token, signer: noneSigner(userid) });
 * const { stdout } = await spawn(signed, ["echo", "signed"], { service, sign: true }).output();
 * console.log(new TextDecoder().decode(stdout).trim()); // signed
 * signed.close();
 * ```
 */
export function noneSigner(userid: number): ClientSigner {
  return clientSigner(none(userid));
}
