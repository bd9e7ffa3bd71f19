/**
 * Credit for the input of a process whose server gives none: RFC 42 exec without write-credit, as for sdexec. A server
 * takes the messages of one client in order, so its answer to a later request proves that it has taken the input before
 * it. PROTOCOL.md, "Processes".
 */
import { FluxError } from "../../src/errors.js";
import type { Broker } from "../broker/broker.js";
import { encodePayload } from "../broker/payload.js";

/**
 * How much input of a stream may be on its way to a rank, in bytes. sdexec waits in write(2) for a process that does not
 * read, and serves nobody meanwhile; the socket between them holds some 200 KiB.
 */
export const OWN_CREDIT = 64 * 1024;

const QUESTION = encodePayload({});

export interface OwnCreditOptions {
  service: string;
  streams: readonly string[];
  nodeid(rank: number): number | undefined;
  /** So much more may be sent to a rank. */
  grant(rank: number, stream: string, bytes: number): void;
  /** Runs a callback of the broker. */
  guard(callback: () => void): void;
}

export class OwnCredit {
  readonly #options: OwnCreditOptions;
  /** Bytes by stream that were sent to a rank since the last question. */
  readonly #sent = new Map<number, Map<string, number>>();
  /** Ranks that have not answered the last question. */
  readonly #asked = new Set<number>();

  constructor(options: OwnCreditOptions) {
    this.#options = options;
  }

  /** The exec is on its way to a rank, and its input may follow it. */
  start(rank: number): void {
    const { streams, grant } = this.#options;
    for (const stream of streams) grant(rank, stream, OWN_CREDIT);
  }

  /** Input went to a rank over `broker`. */
  sent(broker: Broker, rank: number, stream: string, bytes: number): void {
    if (bytes === 0) return;
    const sent = this.#sent.get(rank) ?? new Map<string, number>();
    this.#sent.set(rank, sent.set(stream, (sent.get(stream) ?? 0) + bytes));
    if (!this.#asked.has(rank)) this.#ask(broker, rank);
  }

  #ask(broker: Broker, rank: number): void {
    const { service, nodeid, guard } = this.#options;
    const taken = this.#sent.get(rank) ?? new Map<string, number>();
    this.#sent.delete(rank);
    this.#asked.add(rank);
    const answered = () => guard(() => this.#answered(broker, rank, taken));
    const request = { topic: `${service}.ping`, nodeid: nodeid(rank), payload: QUESTION };
    try {
      // A server that has no such method says so, in its turn.
      broker.request(request, { response: answered, error: answered, end: answered });
    } catch (error) {
      // The connection is over, and with it the process.
      if (!(error instanceof FluxError)) throw error;
    }
  }

  #answered(broker: Broker, rank: number, taken: ReadonlyMap<string, number>): void {
    this.#asked.delete(rank);
    for (const [stream, bytes] of taken) this.#options.grant(rank, stream, bytes);
    if (this.#sent.has(rank)) this.#ask(broker, rank);
  }
}
