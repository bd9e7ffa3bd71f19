/** What the proxy itself sends to a process, RFC 42 kill, signed as its exec or attach was; and to its broker. */
import { FluxError } from "../../src/errors.js";
import type { Signer } from "../../src/signing/signer.js";
import type { Broker, BrokerRequest } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";
import type { SendQueue } from "./send-queue.js";

const QUESTION = encodePayload({ name: "rank" });

export interface ProcessSignalsOptions {
  /** The subprocess server, such as "rexec". */
  service: string;
  /** The rank that the request went to; undefined for any. */
  nodeid: number | undefined;
  pid: number;
  /** The request's own connection: what is sent there comes before its end. */
  broker: Broker;
  queue: SendQueue;
  /** Who signs here; undefined if nobody does. */
  signer: Signer | undefined;
  /** Whether only the client can sign. */
  byClient: boolean;
  /** Runs a callback of the broker. */
  guard(callback: () => void): void;
}

export class ProcessSignals {
  readonly #options: ProcessSignalsOptions;
  /** By signal. Signed once and kept: when a session ends there is no time to sign. */
  readonly #payloads = new Map<number, Uint8Array>();
  #refused = false;

  constructor(options: ProcessSignalsOptions) {
    this.#options = options;
  }

  /**
   * Gets signals ready, which may take a signer its time.
   * @param ready called when the last of them is there; never if they cannot be signed, or the client is to do it
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

  /** A signal that the client has signed. */
  signed(signum: number, signature: string): void {
    this.#payloads.set(signum, encodePayload({ signature }));
  }

  /** Whether a signal is ready. */
  has(signum: number): boolean {
    return this.#payloads.has(signum);
  }

  /** Whether there are signals, or may be soon. Nobody knows whether a client will sign them. */
  get possible(): boolean {
    return !this.#refused && (!this.#options.byClient || this.#payloads.size > 0);
  }

  /** Sends a signal, if it is ready. @param answered it was taken, or has come too late */
  send(signum: number, answered: () => void = () => {}): void {
    const payload = this.#payloads.get(signum);
    if (payload !== undefined) this.#request({ topic: this.#topic, payload }, answered);
  }

  /** Asks what the broker of the process answers at once, after all that it has said of the process before. */
  ask(answered: () => void): void {
    this.#request({ topic: "attr.get", payload: QUESTION }, answered);
  }

  #request(request: BrokerRequest, answered: () => void): void {
    const { broker, nodeid, guard } = this.#options;
    const settle = () => guard(answered);
    try {
      broker.request({ ...request, nodeid }, { response: settle, error: settle, end: settle });
    } catch (error) {
      // The connection is over, and with it whom the process was followed for.
      if (!(error instanceof FluxError)) throw error;
    }
  }

  get #topic(): string {
    return `${this.#options.service}.kill`;
  }
}
