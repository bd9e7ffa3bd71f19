/** The connection for the polls of one user. */
import { FluxError } from "../../src/errors.js";
import type { Broker, BrokerRequest } from "../broker/broker.js";
import type { Answer } from "./poller.js";

/** One user's connection for polls: opened when a poll needs it, and again after it was lost. */
export class PollConnection {
  readonly #connect: () => Promise<Broker>;
  #broker: Promise<Broker> | undefined;
  #closed = false;

  /** @param connect rejects with a FluxError if the broker cannot be reached */
  constructor(connect: () => Promise<Broker>) {
    this.#connect = connect;
  }

  /** Sends a request with one answer. If the connection was lost, or could not be opened, the next request opens another. */
  async request(request: BrokerRequest, answer: Answer): Promise<void> {
    try {
      const broker = await this.#open();
      this.#check();
      broker.request(request, {
        response: (payload) => answer.response(payload ?? {}),
        error: (error) => answer.error(error),
        end: () => answer.response({}),
      });
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      answer.error(error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#broker?.then(
      (broker) => broker.close(),
      () => {},
    );
  }

  /** A request may come after `close`, since its signature takes time. */
  #check(): void {
    if (this.#closed) throw new FluxError("ECANCELED", "nobody watches any more");
  }

  #open(): Promise<Broker> {
    this.#check();
    if (this.#broker !== undefined) return this.#broker;
    const opened = this.#connect();
    const forget = () => {
      if (this.#broker === opened) this.#broker = undefined;
    };
    opened.then((broker) => void broker.closed.then(forget), forget);
    this.#broker = opened;
    return opened;
  }
}
