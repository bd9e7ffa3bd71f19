/** The proxy's own signals to a process, RFC 42 kill, signed as its exec or attach was; and probes of the process's broker. */
import { FluxError } from "../../src/errors.js";
import type { Signer } from "../../src/signing/signer.js";
import type { Broker, BrokerRequest } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";
import type { SendQueue } from "./send-queue.js";

const PROBE = encodePayload({ name: "rank" });

/** The process, and the way to its server. */
export interface ProcessSignalsOptions {
  /** The subprocess server, such as "rexec". */
  service: string;
  /** The rank that the request was addressed to; undefined for any. */
  nodeid: number | undefined;
  pid: number;
  /** The connection of the exec or attach: a signal over it reaches the server before the connection's end. */
  broker: Broker;
  queue: SendQueue;
  /** Signs in the proxy; undefined if the proxy does not sign. */
  signer: Signer | undefined;
  /** True if the client signs, so that the proxy cannot. */
  byClient: boolean;
  /** Runs a callback of the broker. */
  guard(callback: () => void): void;
}

/** Prepares and sends signals to one process. */
export class ProcessSignals {
  readonly #options: ProcessSignalsOptions;
  /** By signal number. Signed once and kept: at the end of a session there is no time to sign. */
  readonly #payloads = new Map<number, Uint8Array>();
  #refused = false;

  constructor(options: ProcessSignalsOptions) {
    this.#options = options;
  }

  /**
   * Prepares signals. A signer may take time.
   * @param ready called when the last signal can be sent; never if the proxy cannot sign, or the client signs
   */
  prepare(signums: readonly number[], ready: () => void): void {
    const { pid, queue, signer, byClient } = this.#options;
    if (byClient) return;
    for (const signum of signums) {
      queue.push({
        topic: this.#topic,
        payload: { pid, signum },
        signer,
        send: (payload) => {
          this.#payloads.set(signum, payload);
          if (signum === signums.at(-1)) ready();
        },
        refuse: () => {
          this.#refused = true;
        },
      });
    }
  }

  /** The client signed a signal. */
  signed(signum: number, signature: string): void {
    this.#payloads.set(signum, encodePayload({ signature }));
  }

  /** True if a signal can be sent. */
  has(signum: number): boolean {
    return this.#payloads.has(signum);
  }

  /** True if signals can be sent, or soon will be. A client's signals count once it has signed one. */
  get possible(): boolean {
    return !this.#refused && (!this.#options.byClient || this.#payloads.size > 0);
  }

  /** Sends a signal, if it is prepared. @param answered called when the server took or refused it */
  send(signum: number, answered: () => void = () => {}): void {
    const payload = this.#payloads.get(signum);
    if (payload !== undefined) this.#request({ topic: this.#topic, payload }, answered);
  }

  /** Asks the broker of the process a question that it answers at once, after all output that it sent before. */
  ask(answered: () => void): void {
    this.#request({ topic: "attr.get", payload: PROBE }, answered);
  }

  #request(request: BrokerRequest, answered: () => void): void {
    const { broker, nodeid, guard } = this.#options;
    const settle = () => guard(answered);
    try {
      broker.request({ ...request, nodeid }, { response: settle, error: settle, end: settle });
    } catch (error) {
      // The connection is over, and its client with it.
      if (!(error instanceof FluxError)) throw error;
    }
  }

  get #topic(): string {
    return `${this.#options.service}.kill`;
  }
}
