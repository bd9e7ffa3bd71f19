/** Keys and tokens for sites without an issuer: the commands `keygen` and `token`, and embedded mode. */
import { randomUUID } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
import type { Jwk, JwkSet } from "./jwk.js";
import { DEFAULT_ACTIONS, readPermissions } from "./permissions.js";

/** An issuer's key pair, in the forms that issuer and proxy need. */
export interface GeneratedKeys {
  /** For {@link signToken}. Secret: its holder can issue a token for any user. */
  privateJwk: Jwk;
  /** For the proxy: the public key as a JWK Set (RFC 7517). */
  jwks: JwkSet;
}

/** The claims of a token (RFC 9068 section 2.2). */
export interface TokenClaims {
  /** `iss`. Not empty. */
  issuer: string;
  /** `aud`. Not empty. */
  audience: string;
  /** `sub`. Not empty. */
  subject: string;
  /** The token's life, in seconds. `exp` is rounded up. */
  ttlSeconds: number;
  /** The Flux userid. @default this process's user */
  userid?: number | undefined;
  /**
   * Actions, separated by spaces (RFC 6749 section 3.3). `rpc` is attr.get and attr.list, unless `details` has topics.
   * @default all actions
   */
  scope?: string | undefined;
  /** RFC 9396 authorization details of type `flux_subprocess`. @default no details: the scope alone decides */
  details?: readonly object[] | undefined;
  /** The RFC 7638 thumbprint of the client's key. @default a bearer token, which needs no proof of a key */
  jkt?: string | undefined;
}

/**
 * Makes a key pair for an issuer.
 * @param algorithm a JWS algorithm with a public key, such as "EdDSA" or "ES256"
 * @returns both halves, with the RFC 7638 thumbprint as `kid`
 * @throws jose's JOSENotSupported for an unknown algorithm
 *
 * @example
 * ```ts
 * const { privateJwk, jwks } = await generateKeys();
 * console.log(privateJwk.crv, jwks.keys.length); // Ed25519 1
 * ```
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
 * Issues an access token (RFC 9068) for a proxy that has the public half of `privateJwk`.
 * @param privateJwk a private key with an `alg`
 * @param claims the token's claims
 * @returns the token, a signed JWT
 * @throws TypeError if `privateJwk` is not a private key with an `alg`, the ttl is not positive, an issuer, audience or subject
 * is empty, a proxy would refuse the details, or the platform has no userids and `userid` is absent
 *
 * @example
 * ```ts
 * const { privateJwk } = await generateKeys();
 * const claims = { issuer: "https://issuer.example", audience: "flux", subject: "ci", ttlSeconds: 3600 };
 * const token = await signToken(privateJwk, { ...claims, scope: "list watch" });
 * console.log(token.split(".").length); // 3
 * ```
 */
export async function signToken(privateJwk: Jwk, claims: TokenClaims): Promise<string> {
  const { alg, kid, d } = privateJwk;
  if (alg === undefined || d === undefined) throw new TypeError("not a private JWK with an alg");
  const { ttlSeconds, scope = DEFAULT_ACTIONS.join(" "), details, jkt, userid = process.getuid?.() } = claims;
  for (const name of ["issuer", "audience", "subject"] as const) {
    if (claims[name] === "") throw new TypeError(`${name} is empty`);
  }
  if (!(ttlSeconds > 0)) throw new TypeError("ttlSeconds is not positive");
  if (userid === undefined) throw new TypeError("this platform has no userids: pass one");
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
