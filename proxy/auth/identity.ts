/** Reads a client's identity from the claims of a verified token. */
import type { JWTPayload } from "jose";
import { isUserid } from "../../src/signing/signature.js";
import { type Permissions, readPermissions } from "./permissions.js";

/** The reason that a token is not accepted. The message quotes nothing of the token. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** A client's user and permissions. */
export interface Identity {
  readonly sub: string;
  /** The Flux userid of the client's requests. */
  readonly userid: number;
  /** `jti`. */
  readonly tokenId: string | undefined;
  /** `iat`, in seconds since 1970. */
  readonly issuedAt: number | undefined;
  /** `exp`, in seconds since 1970. */
  readonly expires: number;
  /** The RFC 7638 thumbprint of the key that the token is bound to; undefined for a bearer token. */
  readonly jkt: string | undefined;
  readonly permissions: Permissions;
}

/** The proxy's own rules about users. */
export interface IdentityOptions {
  /** The userids of subjects whose tokens have no `uid`. */
  users?: Readonly<Record<string, number>> | undefined;
  /** The only userid that is accepted. @default any */
  onlyUserid?: number | undefined;
}

/**
 * @param claims of a token whose signature, issuer, audience and times were verified
 * @throws Refusal naming the claim that is wrong
 */
export function identityOf(claims: JWTPayload, options: IdentityOptions): Identity {
  const { sub, exp, iat, jti } = claims;
  if (typeof sub !== "string" || sub === "") throw new Refusal("token has no sub");
  if (exp === undefined) throw new Refusal("token has no exp");
  if (jti !== undefined && typeof jti !== "string") throw new Refusal("token's jti claim is not a string");
  const userid = useridOf(claims, sub, options.users);
  if (options.onlyUserid !== undefined && userid !== options.onlyUserid) {
    throw new Refusal("token is of another user than the one that this proxy serves");
  }
  return {
    sub,
    userid,
    tokenId: jti,
    issuedAt: iat,
    expires: exp,
    jkt: thumbprintOf(claims["cnf"]),
    permissions: permissionsOf(claims),
  };
}

function useridOf(claims: JWTPayload, sub: string, users: IdentityOptions["users"]): number {
  const claimed = claims["uid"];
  const mapped = users !== undefined && Object.hasOwn(users, sub) ? users[sub] : undefined;
  if (claimed !== undefined && !isUserid(claimed)) throw new Refusal("token's uid claim is not a userid");
  if (claimed !== undefined && mapped !== undefined && claimed !== mapped) {
    throw new Refusal("token's uid claim differs from the proxy's userid for its sub");
  }
  const userid = claimed ?? mapped;
  if (userid === undefined) {
    throw new Refusal("token has no uid claim, and the proxy has no userid for its sub");
  }
  return userid;
}

/** RFC 7800 section 3.1: a confirmation method that is not understood must not be ignored. */
function thumbprintOf(cnf: unknown): string | undefined {
  if (cnf === undefined) return undefined;
  if (typeof cnf === "object" && cnf !== null && Object.keys(cnf).join() === "jkt") {
    const { jkt } = cnf as { jkt: unknown };
    if (typeof jkt === "string" && /^[\w-]{43}$/.test(jkt)) return jkt;
  }
  throw new Refusal("token's cnf claim must have a jkt and nothing else");
}

function permissionsOf(claims: JWTPayload): Permissions {
  try {
    return readPermissions(claims["scope"], claims["authorization_details"]);
  } catch (cause) {
    throw new Refusal(`token's permissions: ${(cause as Error).message}`, { cause });
  }
}
