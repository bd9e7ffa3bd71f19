/** The signers of src/signing, as `connect()` takes them. */
import { type ClientSigner, clientSigner } from "./session/signed-calls.js";
import { type CurveSignerOptions, curveSigner as curve } from "./signing/curve.js";
import { noneSigner as none } from "./signing/none.js";

/**
 * Signs with an Ed25519 key by the mechanism "curve" of flux-security.
 *
 *     const signer = await curveSigner({ key: await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]), userid });
 *
 * @throws TypeError if the key cannot be used, is not the certificate's, or another option cannot be
 * @throws SignatureError if the certificate is malformed
 */
export async function curveSigner(options: CurveSignerOptions): Promise<ClientSigner> {
  return clientSigner(await curve(options));
}

/** Signs in form alone, by the mechanism "none" (RFC 39), for an instance of a single user. @throws TypeError if `userid` is none */
export function noneSigner(userid: number): ClientSigner {
  return clientSigner(none(userid));
}
