/** The broker of a session: its place in the instance. PROTOCOL.md, "Welcome". */
import type { Welcome } from "../../src/protocol/messages.js";
import type { Broker } from "../broker/broker.js";
import { attrGetInteger } from "../broker/rpc.js";

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
