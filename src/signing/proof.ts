/** Proves that a client has the key to which its token is bound. PROTOCOL.md, "Opening"; after RFC 9449. */

import { base64url, exportJWK, SignJWT } from "jose";
import { encoder } from "../protocol/utf8.js";
import type { WebCryptoKeyPair } from "./curve-key.js";

/** JWS algorithms by the WebCrypto algorithm and curve of the key. */
const ALGORITHMS: Readonly<Record<string, string>> = { Ed25519: "EdDSA", "ECDSA P-256": "ES256" };

/**
 * Proves possession of a key for `connect(url, { token, prove: keyProof(keyPair) })`. The private key may be
 * non-extractable: it never leaves WebCrypto.
 *
 * @param keyPair for Ed25519, or for ECDSA with P-256. The token's `cnf.jkt` is its public key's RFC 7638 thumbprint
 * @returns for `connect`: makes a proof for a socket's nonce and a token
 * @throws TypeError if the keys are of another kind
 *
 * @example
 * ```ts
 * const keyPair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
 * const flux = connect(url, { token, prove: keyProof(keyPair) });
 * await flux.rpc("attr.get", { name: "rank" }).get();
 * console.log("open"); // open
 * flux.close();
 * ```
 */
export function keyProof({
  privateKey,
  publicKey,
}: WebCryptoKeyPair): (challenge: { nonce: string; token: string }) => Promise<string> {
  const { name, namedCurve } = privateKey.algorithm as EcKeyAlgorithm;
  const alg = ALGORITHMS[namedCurve === undefined ? name : `${name} ${namedCurve}`];
  if (alg === undefined || privateKey.type !== "private" || publicKey.type !== "public") {
    throw new TypeError("a proof needs a key pair for Ed25519, or for ECDSA with P-256");
  }
  return async ({ nonce, token }: { nonce: string; token: string }): Promise<string> => {
    const digest = await crypto.subtle.digest("SHA-256", encoder.encode(token));
    const { kty, crv, x, y } = await exportJWK(publicKey);
    return new SignJWT({ nonce, ath: base64url.encode(new Uint8Array(digest)) })
      .setProtectedHeader({
        typ: "flux-subprocess-proof+jwt",
        alg,
        jwk: { kty, crv, x, ...(y === undefined ? {} : { y }) },
      })
      .setIssuedAt()
      .sign(privateKey);
  };
}
