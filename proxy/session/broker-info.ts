/** The broker of a session: its place in the instance. PROTOCOL.md, "Welcome". */
import { FluxError } from "../../src/errors.js";
import type { Welcome } from "../../src/protocol/messages.js";
import { AnswerError, type Broker } from "../broker/broker.js";
import { attrGet, attrGetInteger } from "../broker/rpc.js";

/** The broker's rank, the number of brokers and the userid of the instance owner. */
export type BrokerInfo = Pick<Welcome, "rank" | "size" | "owner">;

/** Asks a broker. @throws FluxError of the broker; ETIMEDOUT after `timeoutMs` milliseconds */
export async function readBrokerInfo(broker: Broker, timeoutMs?: number): Promise<BrokerInfo> {
  const [rank, size, owner] = await Promise.all([
    attrGetInteger(broker, "rank", { timeoutMs }),
    attrGetInteger(broker, "size", { timeoutMs }),
    attrGetInteger(broker, "security.owner", { timeoutMs }),
  ]);
  return { rank, size, owner };
}

/**
 * The names of the hosts of the instance's brokers, an RFC 29 hostlist; undefined if the broker does not say them.
 * @throws FluxError ETIMEDOUT after `timeoutMs` milliseconds; ECONNRESET
 */
export async function readHostlist(broker: Broker, timeoutMs?: number): Promise<string | undefined> {
  try {
    return await attrGet(broker, "hostlist", { timeoutMs });
  } catch (error) {
    if (error instanceof AnswerError || (error instanceof FluxError && error.code === "EPROTO"))
      return undefined;
    throw error;
  }
}
