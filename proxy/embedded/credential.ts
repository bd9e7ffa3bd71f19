/** Who speaks: the userid and the roles that a message carries (RFC 3, RFC 12). */
import { type RequestMessage, ROLE, USERID_UNKNOWN } from "../wire/message.js";

export interface Credential {
  userid: number;
  /** Bits of {@link ROLE}. */
  rolemask: number;
}

/** The instance owner: the user that this process runs as. */
export const OWNER = process.getuid?.() ?? 0;

/**
 * The credential of a request. Every connection is the instance owner's, whose messages may speak for
 * another; what they do not say is filled in, the userid and the roles each on its own (librouter auth.c).
 * @param local whether it is for the rank that the client is connected to: the role is lost on the way
 */
export function requestCredential({ userid, rolemask }: RequestMessage, local: boolean): Credential {
  const roles = rolemask === 0 ? ROLE.owner | ROLE.local : rolemask;
  return {
    userid: userid === USERID_UNKNOWN ? OWNER : userid,
    rolemask: local ? roles : roles & ~ROLE.local,
  };
}

/**
 * The credential of an answer: what the connection of the service has (connector-local local.c).
 * @param local whether it comes from the rank that the client is connected to: the role is lost on the way
 */
export function responseCredential(userid: number, local: boolean): Credential {
  const role = userid === OWNER ? ROLE.owner : ROLE.user;
  return { userid, rolemask: local ? role | ROLE.local : role };
}

/** Whether the one may act on what is of the other's (libflux message.c flux_msg_cred_authorize). */
export function mayActFor({ userid, rolemask }: Credential, other: Credential): boolean {
  return (rolemask & ROLE.owner) !== 0 || ((rolemask & ROLE.user) !== 0 && userid === other.userid);
}
