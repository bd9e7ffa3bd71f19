/**
 * Keys and tokens for who has no issuer of their own: the commands `keygen` and `token`, and embedded mode.
 */
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  SignJWT,
} from "jose";

export interface GeneratedKeys {
  /** For {@link signToken}. Whoever has it can be anyone: keep it to yourself. */
  privateJwk: JWK;
  /** For the proxy. */
  jwks: JSONWebKeySet;
}

export interface TokenClaims {
  issuer: string;
  audience: string;
  subject: string;
  /** How long the token is good for, in seconds. */
  ttlSeconds: number;
}

/**
 * A new key pair.
 * @param algorithm a JWS algorithm with a public key, such as "EdDSA" or "ES256"
 * @throws jose's JOSENotSupported for an unknown algorithm
 */
export async function generateKeys(algorithm = "EdDSA"): Promise<GeneratedKeys> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const common = { kid: await calculateJwkThumbprint(publicJwk), alg: algorithm, use: "sig" };
  return {
    privateJwk: { ...(await exportJWK(pair.privateKey)), ...common },
    jwks: { keys: [{ ...publicJwk, ...common }] },
  };
}

/**
 * A JWT for a proxy with the public half of `privateJwk`.
 * @throws TypeError if `privateJwk` is no private key with an `alg`, or the ttl is not positive
 */
export async function signToken(privateJwk: JWK, claims: TokenClaims): Promise<string> {
  const { alg, kid, d } = privateJwk;
  if (alg === undefined || d === undefined) throw new TypeError("not a private JWK with an alg");
  if (!(claims.ttlSeconds > 0)) throw new TypeError("ttlSeconds is not positive");
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg, typ: "JWT", ...(kid === undefined ? {} : { kid }) })
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setSubject(claims.subject)
    .setIssuedAt(now)
    .setExpirationTime(now + Math.ceil(claims.ttlSeconds))
    .sign(await importJWK(privateJwk, alg));
}
