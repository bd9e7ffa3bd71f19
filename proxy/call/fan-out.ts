/** One request to each of its ranks, and their answers. PROTOCOL.md, "Requests". */
import { FluxError } from "../../src/errors.js";
import type { Request } from "../../src/protocol/messages.js";
import type { Broker, BrokerCall, ResponseHandler } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes } from "../flow/brakes.js";
import type { Budget } from "../flow/budget.js";
import type { AdmittedRequest } from "./admission.js";
import type { Lane } from "./lane.js";
import { type RankList, RankSet, type RankView } from "./ranks.js";

/** The most bytes of one request, over all its ranks. */
const MAX_BYTES = 128 * 1024 * 1024;

/** The request, and the receiver of its answers. */
export interface FanOutOptions {
  request: Request;
  admitted: AdmittedRequest;
  ranks: RankList;
  /** The bytes that wait to be sent to the broker. */
  bytes: Pick<Budget, "take" | "give">;
  lane: Lane;
  brakes: Brakes;
  /** Runs a callback of the broker. */
  guard(callback: () => void): void;
  response(rank: number, payload: JsonObject): void;
  /** The broker has ended a rank, with an error or without. */
  ended(rank: number, error: FluxError | undefined): void;
}

/** Sends one request to its ranks. */
export class FanOut {
  readonly #options: FanOutOptions;
  readonly #unsent: RankSet;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#unsent = new RankSet(options.ranks);
  }

  /** True if the broker was sent the request to `rank`. */
  sent(rank: number): boolean {
    return !this.#unsent.has(rank);
  }

  /** The rank that a request to `rank` is addressed to; undefined for any. */
  nodeid(rank: number): number | undefined {
    const { request, admitted } = this.#options;
    return request.nodeid === "any" && !admitted.addressesRank ? undefined : rank;
  }

  /**
   * Sends the request to the ranks that are `open`: the others ended while the request was being signed.
   * @throws FluxError EMSGSIZE if it is too large, ENOBUFS if too much waits to be sent; then nothing is sent
   */
  send(broker: Broker, payload: Uint8Array, open: RankView): void {
    const { request, ranks, bytes, lane } = this.#options;
    const { topic, streaming } = request;
    const total = payload.length * ranks.size;
    if (total > MAX_BYTES) {
      throw new FluxError("EMSGSIZE", `${payload.length} bytes to ${ranks.size} ranks are over ${MAX_BYTES}`);
    }
    const refusal = bytes.take(total);
    if (refusal !== undefined) throw new FluxError("ENOBUFS", refusal);
    let left = total;
    lane.start(broker, {
      bytes: payload.length,
      to: open,
      send: (rank, sent) => {
        left -= payload.length;
        this.#unsent.delete(rank);
        const call = {
          topic,
          streaming,
          nodeid: this.nodeid(rank),
          payload,
          matchtag: ranks.matchtag(rank) as number,
        };
        this.#request(broker, call, rank);
        this.#give(broker, payload.length);
        sent();
      },
      done: () => {
        bytes.give(left);
        left = 0;
      },
    });
  }

  /** Gives bytes back when the broker has taken them: a broker that does not read holds up its session, and not the proxy's memory. */
  #give(broker: Broker, count: number): void {
    const { bytes } = this.#options;
    if (broker.congested) void broker.drained().then(() => bytes.give(count));
    else bytes.give(count);
  }

  #request(broker: Broker, call: BrokerCall, rank: number): void {
    const { admitted, ended } = this.#options;
    try {
      broker.request(call, new RankHandler(rank, this.#options, this.#signal(rank)));
      admitted.monitor.issued(rank, broker);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      ended(rank, error);
    }
  }

  /**
   * Announces a kill to the holder of the process's brake, which may be in another session.
   * @returns takes the answer, also after the end of this session; undefined if the process has no holder
   */
  #signal(rank: number): ((taken: boolean) => void) | undefined {
    const { operation, service, signum, pid, label } = this.#options.admitted.parsed;
    if (operation !== "kill" || signum === undefined) return undefined;
    return this.#options.brakes.signal(service, rank, { pid, label }, signum);
  }
}

/** Receives the answers of one rank. A request may have 65,536 of these. */
class RankHandler implements ResponseHandler {
  readonly #rank: number;
  readonly #options: FanOutOptions;
  /** Takes the answer to a kill: whether the server took the signal. */
  readonly #answered: ((taken: boolean) => void) | undefined;

  constructor(rank: number, options: FanOutOptions, answered: ((taken: boolean) => void) | undefined) {
    this.#rank = rank;
    this.#options = options;
    this.#answered = answered;
  }

  response(payload: JsonObject | undefined): void {
    this.#answered?.(true);
    this.#options.guard(() => this.#options.response(this.#rank, payload ?? {}));
  }

  error(error: FluxError): void {
    this.#answered?.(false);
    this.#options.guard(() => this.#options.ended(this.#rank, error));
  }

  end(): void {
    this.#answered?.(true);
    this.#options.guard(() => this.#options.ended(this.#rank, undefined));
  }
}
