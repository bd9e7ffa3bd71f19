/** What a client sends, in its order: taken once, and acknowledged when it was passed on. PROTOCOL.md, "Sequence". */
import { CLOSE, INPUT_WINDOW, MAX_FRAME, ProtocolError } from "../../src/protocol/messages.js";
import { Sequence } from "../../src/protocol/sequence.js";
import type { BrokerPool } from "./broker-pool.js";

/** What may be unacknowledged of a client's messages, in bytes, the last one included. */
const MAX_UNACKED = 2 * INPUT_WINDOW + MAX_FRAME;

export interface InboxOptions {
  pool: Pick<BrokerPool, "congested" | "drained">;
  /** Messages that wait here to be signed. */
  queue: { readonly congested: boolean };
  /** Tells the client that all up to `seq` was taken, if it is there and the session is not over. */
  ack(seq: number): void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #sequence = new Sequence();
  #unacked = 0;
  #withheld = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Takes note of the next message. @throws ProtocolError if it is another one, or too much is not acknowledged */
  take(seq: number, bytes: number): void {
    if (!this.#sequence.receive(seq, bytes)) {
      throw new ProtocolError(
        CLOSE.outOfSequence,
        `message ${seq} came after message ${this.#sequence.last}`,
      );
    }
    this.#unacked += bytes;
    if (this.#unacked > MAX_UNACKED) {
      throw new ProtocolError(CLOSE.creditOverrun, `more than ${MAX_UNACKED} bytes are not acknowledged`);
    }
  }

  /** Acknowledges all that was taken. @returns the number of the last of it */
  received(): number {
    this.#unacked = 0;
    return this.#sequence.ack();
  }

  /** What was taken is acknowledged, unless it piles up here: the client is not to send more then. */
  acknowledge(): void {
    const { pool, queue, ack } = this.#options;
    if (!this.#sequence.due || queue.congested || this.#withheld) return;
    if (!pool.congested) {
      ack(this.received());
      return;
    }
    this.#withheld = true;
    void pool.drained().then(() => {
      this.#withheld = false;
      this.acknowledge();
    });
  }
}
