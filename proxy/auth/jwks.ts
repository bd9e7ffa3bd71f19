/** The key set that tokens are verified with. */
import { readFile } from "node:fs/promises";
import { importJWK, type JSONWebKeySet, type JWK } from "jose";

/** Members of a JWK that are private (RFC 7518 sections 6.2.2 and 6.3.2; RFC 8037 section 2). */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth"] as const;

/**
 * The public keys of a JWK Set, or of the file that `source` names. Private members are left out: who
 * verifies has no use for them.
 * @throws TypeError if it is no JWK Set, is empty, or has a key that is symmetric or not usable
 */
export async function loadKeySet(source: JSONWebKeySet | string): Promise<JSONWebKeySet> {
  const set = typeof source === "string" ? await readKeySet(source) : source;
  if (!isKeySet(set)) throw new TypeError("jwks is not a JWK Set");
  if (set.keys.length === 0) throw new TypeError("jwks has no keys");
  return { keys: await Promise.all(set.keys.map(publicKey)) };
}

async function readKeySet(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new TypeError(`jwks cannot be read from ${path}`, { cause });
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== "object" || value === null || !("keys" in value) || !Array.isArray(value.keys))
    return false;
  return value.keys.every((key: unknown) => typeof key === "object" && key !== null && !Array.isArray(key));
}

async function publicKey(jwk: JWK, index: number): Promise<JWK> {
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

/** An algorithm to try a key with that names none. */
function defaultAlgorithm({ kty, crv }: JWK): string {
  if (kty === "RSA") return "RS256";
  if (kty === "EC") return crv === "P-384" ? "ES384" : crv === "P-521" ? "ES512" : "ES256";
  return "EdDSA";
}
