/** The request that a broker answers at once, even if its services hang. */
import type { FluxError } from "../../src/errors.js";
import type { BrokerRequest } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";
import type { ProbeAnswer } from "./liveness.js";

const PAYLOAD = encodePayload({ name: "rank" });

/** The connection for probes. */
export interface Probes {
  /** Sends a request. Calls one method of `answer`, once. */
  request(request: BrokerRequest, answer: { response(): void; error(error: FluxError): void }): Promise<void>;
}

/** Probes a rank by `attr.get`, which flux-core's broker serves itself and allows everybody. */
export function probe(probes: Probes): (rank: number, answer: ProbeAnswer) => void {
  return (nodeid, answer) => void probes.request({ topic: "attr.get", nodeid, payload: PAYLOAD }, answer);
}
