/** The calls that have a broker connection of their own, which ends with them. docs/architecture.md, "An attach has a broker connection of its own". */
import { FluxError } from "../../src/errors.js";
import type { Broker } from "../broker/broker.js";
import type { RankedCall } from "../call/ranked-call.js";
import type { Allowance } from "./allowances.js";
import type { BrokerPool } from "./broker-pool.js";

/** Options of {@link OwnConnections}. */
export interface OwnConnectionsOptions {
  pool: Pick<BrokerPool, "open">;
  allowance: Pick<Allowance, "attaches">;
  /** Opens a further connection to the broker in the name of the client's user. */
  connectBroker(): Promise<Broker>;
  /** Runs code that may throw a ProtocolError. */
  guard(action: () => void): void;
}

/** Opens a connection for each call, and closes it. */
export class OwnConnections {
  readonly #options: OwnConnectionsOptions;
  /** The connection of each call; undefined while it is opened. */
  readonly #brokers = new Map<RankedCall, Broker | undefined>();

  constructor(options: OwnConnectionsOptions) {
    this.#options = options;
  }

  /** Starts a call on a connection of its own, or fails it. */
  start(call: RankedCall): void {
    const { pool, allowance, connectBroker, guard } = this.#options;
    const refusal = allowance.attaches.take(1);
    if (refusal !== undefined) {
      call.fail(new FluxError("EMFILE", refusal));
      return;
    }
    this.#brokers.set(call, undefined);
    pool
      .open(connectBroker, () => this.#brokers.has(call))
      .then(
        (broker) =>
          guard(() => {
            if (broker === undefined) return;
            this.#brokers.set(call, broker);
            call.start(broker);
          }),
        (error: unknown) =>
          guard(() => {
            if (!(error instanceof FluxError)) throw error;
            call.fail(error);
          }),
      );
  }

  /** The call has ended, on whatever connection. */
  ended(call: RankedCall): void {
    const broker = this.#brokers.get(call);
    if (this.#brokers.delete(call)) this.#options.allowance.attaches.give(1);
    broker?.close();
  }

  /** Forgets all calls. The session closes the pool. */
  clear(): void {
    this.#brokers.clear();
  }
}
