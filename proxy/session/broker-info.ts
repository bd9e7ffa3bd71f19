/** Where in the instance the broker is that a session speaks to. */
import type { Welcome } from "../../src/protocol/messages.js";
import type { Broker } from "../broker/broker.js";
import { attrGetInteger } from "../broker/rpc.js";

export type BrokerInfo = Pick<Welcome, "rank" | "size" | "owner">;

/** @throws FluxError if the broker does not tell, or takes more than `timeoutMs` milliseconds */
export async function readBrokerInfo(broker: Broker, timeoutMs?: number): Promise<BrokerInfo> {
  const [rank, size, owner] = await Promise.all([
    attrGetInteger(broker, "rank", { timeoutMs }),
    attrGetInteger(broker, "size", { timeoutMs }),
    attrGetInteger(broker, "security.owner", { timeoutMs }),
  ]);
  return { rank, size, owner };
}
