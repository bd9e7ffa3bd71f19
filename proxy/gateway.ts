/** A gateway: a proxy of the instance owner, which sends requests in the name of other users. RFC 3 userid, RFC 12 roles. */
import { FluxError } from "../src/errors.js";
import type { Broker } from "./broker/broker.js";
import type { Credential } from "./broker/connection.js";
import { attrGetInteger } from "./broker/rpc.js";
import { ROLE } from "./wire/message.js";

/**
 * The credential of every message in the name of a user. Without one, the broker would take the message for the owner's. The owner
 * gets the role `local` too, as on a connection of their own: rank 0 of a multi-user instance serves rexec only with it (RFC 12). A
 * guest gets neither role.
 * @param owner the userid of the instance owner
 */
export function gatewayCredential(userid: number, owner: number): Credential {
  return { userid, rolemask: userid === owner ? ROLE.owner | ROLE.local : ROLE.user };
}

/**
 * Checks that the proxy runs as the instance owner: the broker lets nobody else send requests in the name of others.
 * @throws FluxError EPERM if it does not; ETIMEDOUT after `timeoutMs` milliseconds
 */
export async function checkOwner(broker: Broker, userid: number, timeoutMs: number): Promise<void> {
  const owner = await attrGetInteger(broker, "security.owner", { timeoutMs });
  if (owner === userid) return;
  throw new FluxError(
    "EPERM",
    `a gateway runs as the instance owner, user ${owner}, and this is user ${userid}`,
  );
}
