/**
 * Credit for the input of a process whose server grants none: RFC 42 exec without write-credit, as for sdexec. A server takes
 * the messages of one client in order. So its answer to a ping proves that it has taken the input that was sent before the ping.
 * PROTOCOL.md, "Processes".
 */
import { FluxError } from "../../src/errors.js";
import type { Broker } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";

/**
 * The most input of a stream in flight to a rank, in bytes. sdexec waits in write(2) for a process that does not read, and
 * serves nobody meanwhile; the socket between them holds about 200 KiB.
 */
export const OWN_CREDIT = 64 * 1024;

const PING = encodePayload({});

/** The exec, and the receiver of the credit. */
export interface OwnCreditOptions {
  service: string;
  streams: readonly string[];
  /** The rank that a ping to `rank` is addressed to; undefined for any. */
  nodeid(rank: number): number | undefined;
  /** A rank may be sent `bytes` more. */
  grant(rank: number, stream: string, bytes: number): void;
  /** Runs a callback of the broker. */
  guard(callback: () => void): void;
}

/** The credit of one exec. */
export class OwnCredit {
  readonly #options: OwnCreditOptions;
  /** By rank and stream, the bytes that were sent since the last ping. */
  readonly #sent = new Map<number, Map<string, number>>();
  /** Ranks that have not answered the last ping. */
  readonly #pinged = new Set<number>();

  constructor(options: OwnCreditOptions) {
    this.#options = options;
  }

  /** The exec is on its way to a rank, and its input may follow it. */
  start(rank: number): void {
    const { streams, grant } = this.#options;
    for (const stream of streams) grant(rank, stream, OWN_CREDIT);
  }

  /** A rank was sent input over `broker`. */
  sent(broker: Broker, rank: number, stream: string, bytes: number): void {
    if (bytes === 0) return;
    const sent = this.#sent.get(rank) ?? new Map<string, number>();
    this.#sent.set(rank, sent.set(stream, (sent.get(stream) ?? 0) + bytes));
    if (!this.#pinged.has(rank)) this.#ping(broker, rank);
  }

  #ping(broker: Broker, rank: number): void {
    const { service, nodeid, guard } = this.#options;
    const taken = this.#sent.get(rank) ?? new Map<string, number>();
    this.#sent.delete(rank);
    this.#pinged.add(rank);
    const answered = () => guard(() => this.#answered(broker, rank, taken));
    const request = { topic: `${service}.ping`, nodeid: nodeid(rank), payload: PING };
    try {
      // A server without a method `ping` answers with an error, which proves the same.
      broker.request(request, { response: answered, error: answered, end: answered });
    } catch (error) {
      // The connection is over, and the process with it.
      if (!(error instanceof FluxError)) throw error;
    }
  }

  #answered(broker: Broker, rank: number, taken: ReadonlyMap<string, number>): void {
    this.#pinged.delete(rank);
    for (const [stream, bytes] of taken) this.#options.grant(rank, stream, bytes);
    if (this.#sent.has(rank)) this.#ping(broker, rank);
  }
}
