/** The question that a broker answers at once, whatever its services do. */
import type { FluxError } from "../../src/errors.js";
import type { BrokerRequest } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";
import type { ProbeAnswer } from "./liveness.js";

const QUESTION = encodePayload({ name: "rank" });

/** Where questions go. */
export interface Probes {
  /** One of both is called, once. */
  request(request: BrokerRequest, answer: { response(): void; error(error: FluxError): void }): Promise<void>;
}

/** Asks over `probes`: `attr.get`, which flux-core's broker serves itself and allows everybody. */
export function probe(probes: Probes): (rank: number, answer: ProbeAnswer) => void {
  return (nodeid, answer) => void probes.request({ topic: "attr.get", nodeid, payload: QUESTION }, answer);
}
