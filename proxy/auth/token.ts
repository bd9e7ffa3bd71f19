/** Verifies a client's access token: a JWT of the RFC 9068 profile, with RFC 8725's checks, signed with its issuer's key. */
import {
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { FluxError } from "../../src/errors.js";
import { isUserid } from "../../src/signing/signature.js";
import { ASYMMETRIC, DEFAULT_ALGORITHMS, forbiddenParameter } from "./algorithms.js";
import { type Identity, type IdentityOptions, identityOf, Refusal } from "./identity.js";
import type { JwkSet } from "./jwk.js";
import { KeysUnavailable, keySource, type OnFault } from "./key-source.js";

/** The most that the issuer's clock may be ahead of the proxy's, in seconds. */
const CLOCK_TOLERANCE = 5;

/** The last time that a Date can be (ECMA-262 section 21.4.1.1), in seconds since 1970. */
const MAX_TIME = 8_640_000_000_000;

/** RFC 9068 section 2.1. A plain "JWT" may be an ID token, which permits nothing. */
const TYPE = "at+jwt";

/** The longest token, in characters. */
const MAX_TOKEN = 256 * 1024;

const KEYS_UNAVAILABLE = "token cannot be checked: its issuer's keys are not available";

/** RFC 7518 section 3.2: an HS256 key is at least as long as its hash. */
const MIN_SECRET_BYTES = 32;

/** The tokens that a proxy accepts. Exactly one of `jwks` and `secret` must be given. */
export interface VerifierOptions {
  /**
   * The issuer's public keys: a JWK Set (RFC 7517), the path of a file with one, or the URL of one. A file is reread when it
   * changes. A URL must be https, or http on this machine; it is fetched anew every ten minutes, and for an unknown key.
   */
  jwks?: JwkSet | string | URL | undefined;
  /** The secret of HS256 tokens, at least 32 bytes. Tokens with another algorithm are then refused. */
  secret?: Uint8Array | undefined;
  /** A token's `iss` must be this. Not empty. */
  issuer: string;
  /** A token's `aud` must be this or contain it. Not empty. */
  audience: string;
  /**
   * The JWS algorithms that are accepted (RFC 7518, RFC 8037, RFC 9864). Not with `secret`.
   * @default ["EdDSA", "Ed25519", "ES256", "RS256", "PS256"]
   */
  algorithms?: readonly string[] | undefined;
  /** The Flux userids of subjects whose tokens have no `uid`. @default no subject */
  users?: Readonly<Record<string, number>> | undefined;
}

/** @throws FluxError EACCES naming the check that failed, without quoting the token */
export type Verify = (token: string) => Promise<Identity>;

/** A verifier's ties to its proxy, beside the options of its user. */
export interface VerifierSurroundings extends Pick<IdentityOptions, "onlyUserid"> {
  /** Called with the error if keys are not available, or new keys cannot be used. */
  onFault?: OnFault;
}

/**
 * @returns a function that resolves to a token's identity or rejects
 * @throws TypeError if an option is wrong, or the key set cannot be read or has no usable key
 */
export async function createVerifier(
  options: VerifierOptions,
  { onlyUserid, onFault = () => {} }: VerifierSurroundings = {},
): Promise<Verify> {
  const { issuer, audience, users } = options;
  if (issuer === "") throw new TypeError("issuer is empty");
  if (audience === "") throw new TypeError("audience is empty");
  for (const userid of Object.values(users ?? {})) {
    if (!isUserid(userid)) throw new TypeError("users has an invalid userid");
  }
  const keys = await verificationKeys(options, onFault);
  const checks = {
    issuer,
    audience,
    typ: TYPE,
    algorithms: algorithmsOf(options),
    requiredClaims: ["exp", "sub"],
    clockTolerance: CLOCK_TOLERANCE,
  };
  return async (token) => {
    try {
      checkHeader(token);
      const { payload } = await verifyWithAny(token, keys, checks);
      checkTimes(payload);
      return identityOf(payload, { users, onlyUserid });
    } catch (error) {
      throw new FluxError("EACCES", refusal(error));
    }
  };
}

async function verificationKeys(
  { jwks, secret }: VerifierOptions,
  onFault: OnFault,
): Promise<JWTVerifyGetKey | Uint8Array> {
  if ((jwks === undefined) === (secret === undefined))
    throw new TypeError("one of jwks and secret must be given");
  if (jwks !== undefined) return keySource(jwks, onFault);
  if (!(secret instanceof Uint8Array) || secret.length < MIN_SECRET_BYTES) {
    throw new TypeError(`secret is not ${MIN_SECRET_BYTES} bytes or more`);
  }
  return secret;
}

function algorithmsOf({ secret, algorithms }: VerifierOptions): string[] {
  if (secret !== undefined) {
    if (algorithms !== undefined) throw new TypeError("algorithms and secret must not both be given");
    return ["HS256"];
  }
  const chosen = algorithms ?? DEFAULT_ALGORITHMS;
  if (chosen.length === 0) throw new TypeError("algorithms is empty");
  for (const algorithm of chosen) {
    if (!(ASYMMETRIC as readonly string[]).includes(algorithm)) {
      throw new TypeError(`algorithm ${algorithm} is not supported`);
    }
  }
  return [...chosen];
}

function checkHeader(token: string): void {
  if (token.length > MAX_TOKEN) throw new Refusal("token is too long");
  let header: object;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    throw new Refusal("token is not a signed JWT");
  }
  const parameter = forbiddenParameter(header);
  if (parameter !== undefined) throw new Refusal(`token's header has a ${parameter}, which is not allowed`);
}

/** Tolerates a clock that is ahead for `iat` and `nbf`, and not for `exp`: the session ends at `exp` exactly. */
function checkTimes({ exp = 0, nbf = 0, iat = 0 }: JWTPayload): void {
  for (const [claim, time] of Object.entries({ exp, nbf, iat })) {
    if (!isTime(time)) throw new Refusal(`token's ${claim} claim is not a time`);
  }
  const now = Date.now() / 1000;
  if (exp <= now) throw new Refusal("token has expired");
  if (iat > now + CLOCK_TOLERANCE) throw new Refusal("token was issued in the future");
}

/** JSON can hold numbers beyond any clock: 1e400 becomes Infinity, and such a session would never end. */
function isTime(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= MAX_TIME;
}

/** A token without `kid` may match several keys of the set. jose then expects its caller to try each. */
async function verifyWithAny(token: string, keys: JWTVerifyGetKey | Uint8Array, checks: JWTVerifyOptions) {
  try {
    // jwtVerify has an overload for each type, but not for their union.
    return await (typeof keys === "function"
      ? jwtVerify(token, keys, checks)
      : jwtVerify(token, keys, checks));
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

/** The check that failed. jose's own messages may quote the token, which must not get into a log. */
function refusal(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (error instanceof KeysUnavailable) return KEYS_UNAVAILABLE;
  if (error instanceof errors.JWTExpired) return "token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "typ") return `token's type is not ${TYPE}`;
    const fault = error.reason === "missing" ? "is missing" : "has a wrong value";
    return `token's ${error.claim} claim ${fault}`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "token's signature is wrong";
  if (error instanceof errors.JWKSNoMatchingKey) return "token is signed with an unknown key";
  if (error instanceof errors.JWKSTimeout) return KEYS_UNAVAILABLE;
  if (error instanceof errors.JOSEAlgNotAllowed) return "token's algorithm is not allowed";
  return "token is not a signed JWT";
}
