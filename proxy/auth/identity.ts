/** From the claims of a token that has been verified to who its bearer is. */
import type { JWTPayload } from "jose";
import { type Permissions, readPermissions } from "./permissions.js";

/** Why a token is not accepted, in words that quote nothing of it. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** Who a client is, and what it may do. */
export interface Identity {
  readonly sub: string;
  /** The Flux userid in whose name its requests go. */
  readonly userid: number;
  /** `jti`. */
  readonly tokenId: string | undefined;
  /** `iat`, in seconds since 1970. */
  readonly issuedAt: number | undefined;
  /** `exp`, in seconds since 1970. */
  readonly expires: number;
  /** The RFC 7638 thumbprint of the key that the token is bound to. */
  readonly jkt: string | undefined;
  readonly permissions: Permissions;
}

export interface IdentityOptions {
  /** The userids of subjects whose tokens name none. */
  users?: Readonly<Record<string, number>> | undefined;
  /** The only userid whose tokens are accepted. Absent: everyone's. */
  onlyUserid?: number | undefined;
}

/** (uid_t) -1 is nobody's. */
const MAX_USERID = 0xfffffffe;

/** @throws Refusal saying what is wrong with the claims, without quoting them */
export function identityOf(claims: JWTPayload, options: IdentityOptions): Identity {
  const { sub, exp, iat, jti } = claims;
  if (typeof sub !== "string" || sub === "") throw new Refusal("token has no sub");
  if (exp === undefined) throw new Refusal("token has no exp");
  if (jti !== undefined && typeof jti !== "string") throw new Refusal("token's jti claim is not a string");
  const userid = useridOf(claims, sub, options.users);
  if (options.onlyUserid !== undefined && userid !== options.onlyUserid) {
    throw new Refusal(`token is of another user than this proxy serves`);
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
    throw new Refusal("token's uid claim is not what the proxy has for its sub");
  }
  const userid = claimed ?? mapped;
  if (userid === undefined) throw new Refusal("token has no uid claim, and its sub is no user of the proxy");
  return userid;
}

export function isUserid(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_USERID;
}

/** RFC 7800: a confirmation that is not understood must not be passed over. */
function thumbprintOf(cnf: unknown): string | undefined {
  if (cnf === undefined) return undefined;
  if (typeof cnf === "object" && cnf !== null && Object.keys(cnf).join() === "jkt") {
    const { jkt } = cnf as { jkt: unknown };
    if (typeof jkt === "string" && /^[\w-]{43}$/.test(jkt)) return jkt;
  }
  throw new Refusal("token's cnf claim is not a jkt alone");
}

function permissionsOf(claims: JWTPayload): Permissions {
  try {
    return readPermissions(claims["scope"], claims["authorization_details"]);
  } catch (cause) {
    throw new Refusal(`token's permissions: ${(cause as Error).message}`, { cause });
  }
}
