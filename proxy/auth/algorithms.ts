/** The JWS algorithms that tokens and proofs may be signed with. */

/** None is symmetric: who can verify with one of these cannot sign. */
export const ASYMMETRIC = [
  "EdDSA", "Ed25519", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
] as const; // biome-ignore format: one line

export const DEFAULT_ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256", "PS256"] as const;

/** Header parameters by which a token would choose the key that it is verified with (RFC 8725 section 3.10). */
const KEY_CHOICES = ["jku", "x5u", "jwk", "x5c"] as const;

/** What a header has that no header may have; undefined if nothing. `crit` names what we do not know (RFC 7515). */
export function forbiddenParameter(header: object, allowed?: "jwk"): string | undefined {
  return ["crit", ...KEY_CHOICES].find((name) => name !== allowed && Object.hasOwn(header, name));
}
