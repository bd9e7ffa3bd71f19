/** The messages of a client in sequence: each is taken once, and acknowledged when it was passed on. PROTOCOL.md, "Sequence". */
import { INPUT_WINDOW, MAX_FRAME } from "../../src/protocol/messages.js";
import { CLOSE, ProtocolError } from "../../src/protocol/protocol-error.js";
import { Sequence } from "../../src/protocol/sequence.js";
import type { BrokerPool } from "./broker-pool.js";

/** The most unacknowledged bytes of a client's messages, including the last message. */
const MAX_UNACKED = 2 * INPUT_WINDOW + MAX_FRAME;

/** The places that messages wait in, and the sender of acknowledgements. */
export interface InboxOptions {
  pool: Pick<BrokerPool, "congested" | "drained">;
  /** Messages wait there for a signature. */
  queue: { readonly congested: boolean };
  /** Acknowledges all messages up to `seq`, if the client has a socket and the session is not over. */
  ack(seq: number): void;
}

/** The client's sequence in one session. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #sequence = new Sequence();
  #unacked = 0;
  /** True while an acknowledgement waits for a congested broker connection. */
  #withheld = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** Takes the next message. @throws ProtocolError if `seq` is not the next number, or too many bytes are unacknowledged */
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

  /** Acknowledges all messages that were taken. @returns the number of the last one */
  received(): number {
    this.#unacked = 0;
    return this.#sequence.ack();
  }

  /** Acknowledges messages, unless they pile up in the proxy: without the acknowledgement the client sends no more. */
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
