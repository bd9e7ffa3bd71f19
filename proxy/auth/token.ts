/**
 * Who a client is: verification of its JWT (RFC 7519, RFC 8725) against the key set of whoever issues them.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { FluxError } from "../../src/errors.js";
import { loadKeySet } from "./jwks.js";

/** Signature algorithms that a verifier may be told to take. None is symmetric: a proxy holds no secret. */
const ALGORITHMS = [
  "EdDSA", "Ed25519", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
]; // biome-ignore format: one line

const DEFAULT_ALGORITHMS = ["EdDSA", "ES256", "RS256", "PS256"];

/** How far the clocks of issuer and proxy may differ, in seconds. */
const CLOCK_TOLERANCE = 5;

export interface VerifierOptions {
  /** The issuer's public keys: a JWK Set (RFC 7517) or the path of a file with one. */
  jwks: JSONWebKeySet | string;
  /** What `iss` must be. */
  issuer: string;
  /** What `aud` must be or contain. */
  audience: string;
  /** JWS algorithms to take. Default EdDSA, ES256, RS256 and PS256. */
  algorithms?: readonly string[] | undefined;
}

/** The claims of a token that was accepted. */
type Claims = JWTPayload;

/** @throws FluxError EACCES that says which check the token failed, without the token */
export type Verify = (token: string) => Promise<Claims>;

/**
 * A function that accepts a token or throws.
 * @throws TypeError if an option cannot be used, or the key set cannot be read or has no usable key
 */
export async function createVerifier(options: VerifierOptions): Promise<Verify> {
  const { jwks, issuer, audience, algorithms = DEFAULT_ALGORITHMS } = options;
  if (issuer === "") throw new TypeError("issuer is empty");
  if (audience === "") throw new TypeError("audience is empty");
  if (algorithms.length === 0) throw new TypeError("algorithms is empty");
  for (const algorithm of algorithms) {
    if (!ALGORITHMS.includes(algorithm)) throw new TypeError(`algorithm ${algorithm} is not supported`);
  }
  const keys = createLocalJWKSet(await loadKeySet(jwks));
  const checks = {
    issuer,
    audience,
    algorithms: [...algorithms],
    requiredClaims: ["exp"],
    clockTolerance: CLOCK_TOLERANCE,
  };
  return async (token) => {
    try {
      return (await verifyWithAny(token, keys, checks)).payload;
    } catch (error) {
      throw new FluxError("EACCES", refusal(error));
    }
  };
}

type Keys = ReturnType<typeof createLocalJWKSet>;
type Checks = NonNullable<Parameters<typeof jwtVerify>[2]>;

/** A token without `kid` may fit several keys of the set; jose then leaves it to us to try them. */
async function verifyWithAny(token: string, keys: Keys, checks: Checks) {
  try {
    return await jwtVerify(token, keys, checks);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return await jwtVerify(token, key, checks);
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** Which check failed. jose's own messages are not passed on: none of the token's text may get into a log. */
function refusal(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    const what = error.reason === "missing" ? "missing" : "not what it must be";
    return `token's ${error.claim} claim is ${what}`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "token's signature is wrong";
  if (error instanceof errors.JWKSNoMatchingKey) return "token is signed with a key that is not known";
  if (error instanceof errors.JOSEAlgNotAllowed) return "token's algorithm is not allowed";
  return "token is not a signed JWT";
}
