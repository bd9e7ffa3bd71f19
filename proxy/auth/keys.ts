/**
 * Keys and tokens for who has no issuer of their own: the commands `keygen` and `token`, and embedded mode.
 */
import { randomUUID } from "node:crypto";
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  SignJWT,
} from "jose";
import { ACTIONS, readPermissions } from "./permissions.js";

export interface GeneratedKeys {
  /** For {@link signToken}. Whoever has it can be anyone: keep it to yourself. */
  privateJwk: JWK;
  /** For the proxy. */
  jwks: JSONWebKeySet;
}

/** What a token is to say. */
export interface TokenClaims {
  issuer: string;
  audience: string;
  subject: string;
  /** How long the token is good for, in seconds. */
  ttlSeconds: number;
  /** The Flux userid. Default: that of this process. */
  userid?: number | undefined;
  /** Actions, with spaces between them. Default: all; `rpc` is attr.get and attr.list, unless `details` has topics. */
  scope?: string | undefined;
  /** RFC 9396 authorization details, of type `flux_subprocess`. Default: none, so that the scope alone counts. */
  details?: readonly object[] | undefined;
  /** The RFC 7638 thumbprint of the key that the client must have. Default: whoever has the token may use it. */
  jkt?: string | undefined;
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
 * An access token (RFC 9068) for a proxy with the public half of `privateJwk`.
 * @throws TypeError if `privateJwk` is no private key with an `alg`, the ttl is not positive, an issuer, audience or subject is empty, a
 * proxy would refuse the details, or no userid is given on a platform that has none
 */
export async function signToken(privateJwk: JWK, claims: TokenClaims): Promise<string> {
  const { alg, kid, d } = privateJwk;
  if (alg === undefined || d === undefined) throw new TypeError("not a private JWK with an alg");
  const { ttlSeconds, scope = ACTIONS.join(" "), details, jkt, userid = process.getuid?.() } = claims;
  for (const name of ["issuer", "audience", "subject"] as const) {
    if (claims[name] === "") throw new TypeError(`${name} is empty`);
  }
  if (!(ttlSeconds > 0)) throw new TypeError("ttlSeconds is not positive");
  if (userid === undefined) throw new TypeError("this platform has no user ids: give one");
  readPermissions(scope, details);
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    client_id: "flux-subprocess",
    uid: userid,
    scope,
    ...(details === undefined ? {} : { authorization_details: details }),
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
  })
    .setProtectedHeader({ alg, typ: "at+jwt", ...(kid === undefined ? {} : { kid }) })
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setSubject(claims.subject)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + Math.ceil(ttlSeconds))
    .sign(await importJWK(privateJwk, alg));
}
