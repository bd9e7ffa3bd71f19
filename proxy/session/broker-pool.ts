/** The broker connections of one session. They are always read: what they bring waits here or is not asked for. */
import type { Broker } from "../broker/broker.js";

export class BrokerPool {
  readonly #brokers = new Set<Broker>();
  #closed = false;

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
    return broker;
  }

  /** Whether more is waiting to be written than should be. */
  get congested(): boolean {
    for (const broker of this.#brokers) if (broker.congested) return true;
    return false;
  }

  /** Resolves when all that was congested is written. */
  async drained(): Promise<void> {
    await Promise.all([...this.#brokers].map((broker) => broker.drained()));
  }

  close(): void {
    this.#closed = true;
    for (const broker of this.#brokers) broker.close();
    this.#brokers.clear();
  }
}
