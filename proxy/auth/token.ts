/**
 * Who a client is: verification of its access token (a JWT in the shape of RFC 9068, by the advice of RFC 8725)
 * against the keys of whoever issues them.
 */
import {
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import { FluxError } from "../../src/errors.js";
import { ASYMMETRIC, DEFAULT_ALGORITHMS, forbiddenParameter } from "./algorithms.js";
import { type Identity, type IdentityOptions, identityOf, isUserid, Refusal } from "./identity.js";
import { KeysUnavailable, keySource, type OnFault } from "./key-source.js";

/** How far the clocks of issuer and proxy may differ, in seconds. */
const CLOCK_TOLERANCE = 5;

/** The last time that a Date can be (ECMA-262 section 21.4.1.1), in seconds since 1970. */
const MAX_TIME = 8_640_000_000_000;

/** RFC 9068 section 2.1. A plain "JWT" may be an ID token, which is no permission for anything. */
const TYPE = "at+jwt";

/** The longest token that is looked at, in characters. */
const MAX_TOKEN = 256 * 1024;

/** RFC 7518 section 3.2: an HS256 key is as long as its hash, at least. */
const MIN_SECRET_BYTES = 32;

export interface VerifierOptions {
  /**
   * The issuer's public keys: a JWK Set (RFC 7517), the path of a file with one, which is reread when it
   * changes, or the URL of one. The URL is https; http is for this machine alone.
   */
  jwks?: JSONWebKeySet | string | URL | undefined;
  /** Instead of `jwks`: the secret of HS256 tokens, at least 32 bytes. No other algorithm is taken then. */
  secret?: Uint8Array | undefined;
  /** What `iss` must be. */
  issuer: string;
  /** What `aud` must be or contain. */
  audience: string;
  /** JWS algorithms to take. Default EdDSA (also by its new name, Ed25519), ES256, RS256 and PS256. */
  algorithms?: readonly string[] | undefined;
  /** The Flux userids of subjects whose tokens have no `uid`. */
  users?: Readonly<Record<string, number>> | undefined;
}

/** @throws FluxError EACCES that says which check the token failed, without the token */
export type Verify = (token: string) => Promise<Identity>;

export interface VerifierSurroundings extends Pick<IdentityOptions, "onlyUserid"> {
  /** Told of new keys that cannot be used, and of keys that cannot be had. */
  onFault?: OnFault;
}

/**
 * A function that accepts a token or throws.
 * @throws TypeError if an option cannot be used, or the key set cannot be read or has no usable key
 */
export async function createVerifier(
  options: VerifierOptions,
  { onlyUserid, onFault = () => {} }: VerifierSurroundings = {},
): Promise<Verify> {
  const { issuer, audience, users } = options;
  if (issuer === "") throw new TypeError("issuer is empty");
  if (audience === "") throw new TypeError("audience is empty");
  for (const userid of Object.values(users ?? {})) {
    if (!isUserid(userid)) throw new TypeError("users has a userid that is none");
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
    if (algorithms !== undefined) throw new TypeError("algorithms has no place beside secret");
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
  if (parameter !== undefined) throw new Refusal(`token's header has a ${parameter}, which is not taken`);
}

/** The tolerance is for what is not yet valid: an end is an end, and the session has it too. */
function checkTimes({ exp = 0, nbf = 0, iat = 0 }: JWTPayload): void {
  for (const [claim, time] of Object.entries({ exp, nbf, iat })) {
    if (!isTime(time)) throw new Refusal(`token's ${claim} claim is not a time`);
  }
  const now = Date.now() / 1000;
  if (exp <= now) throw new Refusal("token has expired");
  if (iat > now + CLOCK_TOLERANCE) throw new Refusal("token was issued in the future");
}

/** JSON has numbers that no clock comes to: 1e400 is read as Infinity, and a session with such an end would have none. */
function isTime(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= MAX_TIME;
}

/** A token without `kid` may fit several keys of the set; jose then leaves it to us to try them. */
async function verifyWithAny(token: string, keys: JWTVerifyGetKey | Uint8Array, checks: JWTVerifyOptions) {
  try {
    // The overloads of jose take the one or the other.
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

/** Which check failed. jose's own messages are not passed on: none of the token's text may get into a log. */
function refusal(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (error instanceof KeysUnavailable) return "token cannot be checked: its issuer's keys cannot be had";
  if (error instanceof errors.JWTExpired) return "token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "typ") return `token's type is not ${TYPE}`;
    const what = error.reason === "missing" ? "missing" : "not what it must be";
    return `token's ${error.claim} claim is ${what}`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return "token's signature is wrong";
  if (error instanceof errors.JWKSNoMatchingKey) return "token is signed with a key that is not known";
  if (error instanceof errors.JWKSTimeout) return "token cannot be checked: its issuer's keys cannot be had";
  if (error instanceof errors.JOSEAlgNotAllowed) return "token's algorithm is not allowed";
  return "token is not a signed JWT";
}
