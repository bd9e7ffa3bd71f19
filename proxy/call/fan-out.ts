/** One request to each of its ranks, and who hears of the answers. PROTOCOL.md, "Requests". */
import { FluxError } from "../../src/errors.js";
import type { Request } from "../../src/protocol/messages.js";
import type { Broker, ResponseHandler } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes } from "../flow/brakes.js";
import type { Admitted } from "./admission.js";

/** The most bytes that one request may become, over all its ranks, before the broker has taken any. */
const MAX_BYTES = 128 * 1024 * 1024;

export interface FanOutOptions {
  request: Request;
  admitted: Admitted;
  /** By rank, in ascending order. */
  matchtags: ReadonlyMap<number, number>;
  brakes: Brakes;
  /** Runs a callback of the broker. */
  guard(callback: () => void): void;
  response(rank: number, payload: JsonObject): void;
  /** The broker has ended a rank, with an error or without. */
  ended(rank: number, error: FluxError | undefined): void;
}

export class FanOut {
  readonly #options: FanOutOptions;

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /** Where a request to `rank` goes. */
  nodeid(rank: number): number | undefined {
    const { request, admitted } = this.#options;
    return request.nodeid === "any" && !admitted.pinned ? undefined : rank;
  }

  /**
   * Sends it to the ranks that are `open`: one is over already if it was cancelled, or the broker lost, while it was signed.
   */
  send(broker: Broker, payload: Uint8Array, open: ReadonlySet<number>): void {
    const { request, admitted, matchtags, ended } = this.#options;
    const { topic, streaming } = request;
    const { size } = matchtags;
    const tooBig = `${payload.length} bytes to ${size} ranks are over ${MAX_BYTES}`;
    for (const [rank, matchtag] of matchtags) {
      if (!open.has(rank)) continue;
      const call = { topic, streaming, nodeid: this.nodeid(rank), payload, matchtag };
      try {
        if (payload.length * size > MAX_BYTES) throw new FluxError("EMSGSIZE", tooBig);
        broker.request(call, this.#handler(rank));
        admitted.watcher.issued(rank, broker);
      } catch (error) {
        if (!(error instanceof FluxError)) throw error;
        ended(rank, error);
      }
    }
  }

  #handler(rank: number): ResponseHandler {
    const { guard, response, ended } = this.#options;
    const answered = this.#signal(rank);
    return {
      response: (payload) => {
        answered?.(true);
        guard(() => response(rank, payload ?? {}));
      },
      error: (error) => {
        answered?.(false);
        guard(() => ended(rank, error));
      },
      end: () => {
        answered?.(true);
        guard(() => ended(rank, undefined));
      },
    };
  }

  /**
   * A kill is on its way: who may stop the process is to know, be it in another session.
   * @returns takes the answer to it, also when this session is over
   */
  #signal(rank: number): ((taken: boolean) => void) | undefined {
    const { operation, service, signum, pid, label } = this.#options.admitted.asked;
    if (operation !== "kill" || signum === undefined) return undefined;
    return this.#options.brakes.signal(service, rank, { pid, label }, signum);
  }
}
