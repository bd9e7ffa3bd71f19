/** The JWS algorithms that tokens and proofs may be signed with. */

/** No symmetric algorithm: a party that can verify must not be able to sign. */
export const ASYMMETRIC = [
  "EdDSA", "Ed25519", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
] as const; // biome-ignore format: one line

/** The algorithms that are accepted without an option, and those of proofs. */
export const DEFAULT_ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256", "PS256"] as const;

/** Header parameters with which a token would choose the key for its own verification (RFC 8725 section 3.10). */
const KEY_CHOICES = ["jku", "x5u", "jwk", "x5c"] as const;

/**
 * @param allowed a parameter that this header may have
 * @returns the name of a forbidden parameter; undefined if the header has none. `crit` is forbidden since it names extensions
 * that the proxy does not implement (RFC 7515 section 4.1.11)
 */
export function forbiddenParameter(header: object, allowed?: "jwk"): string | undefined {
  return ["crit", ...KEY_CHOICES].find((name) => name !== allowed && Object.hasOwn(header, name));
}
