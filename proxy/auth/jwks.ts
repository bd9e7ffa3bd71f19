/** JWK Sets for the verification of tokens. */
import { importJWK } from "jose";
import type { Jwk, JwkSet } from "./jwk.js";

/** The private members of a JWK (RFC 7518 sections 6.2.2 and 6.3.2; RFC 8037 section 2). */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth"] as const;

/** The most keys in a set. */
const MAX_KEYS = 256;

/**
 * The public keys of a JWK Set. Private members are left out: verification does not need them.
 * @throws TypeError if `set` is not a JWK Set, is empty, has over 256 keys, or has a key that is symmetric or unusable
 */
export async function publicKeys(set: unknown): Promise<JwkSet> {
  if (!isKeySet(set)) throw new TypeError("jwks is not a JWK Set");
  if (set.keys.length === 0) throw new TypeError("jwks has no keys");
  if (set.keys.length > MAX_KEYS) throw new TypeError(`jwks has over ${MAX_KEYS} keys`);
  return { keys: await Promise.all(set.keys.map(publicKey)) };
}

function isKeySet(value: unknown): value is JwkSet {
  if (typeof value !== "object" || value === null || !("keys" in value) || !Array.isArray(value.keys))
    return false;
  return value.keys.every((key: unknown) => typeof key === "object" && key !== null && !Array.isArray(key));
}

async function publicKey(jwk: Jwk, index: number): Promise<Jwk> {
  if (jwk.kty === "oct") throw new TypeError(`jwks key ${index} is symmetric; tokens need a public key`);
  const key = { ...jwk };
  for (const member of PRIVATE_MEMBERS) delete key[member];
  try {
    await importJWK(key, key.alg ?? defaultAlgorithm(key));
  } catch (cause) {
    throw new TypeError(`jwks key ${index} cannot be used`, { cause });
  }
  return key;
}

/** An algorithm to import a key that has no `alg`. */
function defaultAlgorithm({ kty, crv }: Jwk): string {
  if (kty === "RSA") return "RS256";
  if (kty === "EC") return crv === "P-384" ? "ES384" : crv === "P-521" ? "ES512" : "ES256";
  return "EdDSA";
}
