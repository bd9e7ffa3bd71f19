/** The broker connections of one session. The proxy always reads them, so that output does not fill the broker's memory. */
import type { Broker } from "../broker/broker.js";

/** Opens and closes the connections of one session together. */
export class BrokerPool {
  readonly #brokers = new Set<Broker>();
  #closed = false;

  /**
   * Opens a connection.
   * @param wanted whether the connection is still needed when it is open
   * @returns undefined if it is not
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

  /** True if too many bytes wait to be written on one of the connections. */
  get congested(): boolean {
    for (const broker of this.#brokers) if (broker.congested) return true;
    return false;
  }

  /** Resolves when no connection is congested. */
  async drained(): Promise<void> {
    await Promise.all([...this.#brokers].map((broker) => broker.drained()));
  }

  close(): void {
    this.#closed = true;
    for (const broker of this.#brokers) broker.close();
    this.#brokers.clear();
  }
}
