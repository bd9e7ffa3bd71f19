/** The userid and the roles that a message carries (RFC 3, RFC 12). */
import { type RequestMessage, ROLE, USERID_UNKNOWN } from "../wire/message.js";

/** The sender of a message. */
export interface Credential {
  userid: number;
  /** Bits of {@link ROLE}. */
  rolemask: number;
}

/** The instance owner: the user that this process runs as. */
export const OWNER = process.getuid?.() ?? 0;

/**
 * The credential of a request. Every connection is the instance owner's, whose messages may name another user. The userid and the
 * roles each have a default of their own (librouter auth.c).
 * @param options `local`: true if the request is for the client's own rank: a message between ranks loses the role `local`
 */
export function requestCredential(
  { userid, rolemask }: RequestMessage,
  { local }: { local: boolean },
): Credential {
  const roles = rolemask === 0 ? ROLE.owner | ROLE.local : rolemask;
  return {
    userid: userid === USERID_UNKNOWN ? OWNER : userid,
    rolemask: local ? roles : roles & ~ROLE.local,
  };
}

/**
 * The credential of a response: that of the service's connection (connector-local local.c).
 * @param options `local`: true if the response is from the client's own rank: a message between ranks loses the role `local`
 */
export function responseCredential(userid: number, { local }: { local: boolean }): Credential {
  const role = userid === OWNER ? ROLE.owner : ROLE.user;
  return { userid, rolemask: local ? role | ROLE.local : role };
}

/** True if the first credential may act on processes of the second (libflux message.c flux_msg_cred_authorize). */
export function mayActFor({ userid, rolemask }: Credential, other: Credential): boolean {
  return (rolemask & ROLE.owner) !== 0 || ((rolemask & ROLE.user) !== 0 && userid === other.userid);
}
