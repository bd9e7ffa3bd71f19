/**
 * The broker connections of one session: read from while the client keeps up, written to while the broker
 * does.
 */
import type { Broker } from "../broker/broker.js";
import type { Inflow } from "../flow/gate.js";

export class BrokerPool {
  readonly #inflow: Inflow;
  readonly #brokers = new Set<Broker>();
  #blocked = false;
  #throttled = false;
  #closed = false;

  constructor(inflow: Inflow) {
    this.#inflow = inflow;
  }

  /**
   * What `connect` opens, or undefined if it is not `wanted` any more when it is there.
   * @throws FluxError if the broker cannot be reached
   */
  async open(connect: () => Promise<Broker>, wanted = () => true): Promise<Broker | undefined> {
    const broker = await connect();
    if (this.#closed || !wanted()) {
      broker.close();
      return undefined;
    }
    this.#brokers.add(broker);
    void broker.closed.then(() => this.#brokers.delete(broker));
    if (this.#blocked) broker.pause();
    return broker;
  }

  /** Stops or resumes reading from the broker: the client does not, or does again, take what comes. */
  block(blocked: boolean): void {
    this.#blocked = blocked;
    for (const broker of this.#brokers) {
      // Resumed, a connection may deliver so much at once that all are blocked again.
      if (this.#blocked) broker.pause();
      else broker.resume();
    }
  }

  /** Takes no more from the client while the broker does not keep up: what it sends would pile up here. */
  throttle(): void {
    if (this.#throttled) return;
    const congested = [...this.#brokers].filter((broker) => broker.congested);
    if (congested.length === 0) return;
    this.#throttled = true;
    this.#inflow.pause();
    void Promise.all(congested.map((broker) => broker.drained())).then(() => {
      this.#throttled = false;
      this.#inflow.resume();
    });
  }

  close(): void {
    this.#closed = true;
    for (const broker of this.#brokers) broker.close();
    this.#brokers.clear();
  }
}
