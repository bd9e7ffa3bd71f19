/** What arrives, counted from 1, text and binary messages alike. PROTOCOL.md, "Sequence". */
import { ACK_BYTES, ACK_MESSAGES, CLOSE, ProtocolError } from "./messages.js";

export class Sequence {
  #last = 0;
  #acked = 0;
  #bytes = 0;

  /** The number of the last message that was taken; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /**
   * Takes note of a message of `bytes` bytes.
   * @returns whether it is new; false if it was taken before
   * @throws ProtocolError if one before it is missing
   */
  receive(seq: number, bytes: number): boolean {
    if (seq <= this.#last) return false;
    if (seq !== this.#last + 1) {
      throw new ProtocolError(CLOSE.outOfSequence, `message ${seq} came after message ${this.#last}`);
    }
    this.#last = seq;
    this.#bytes += bytes;
    return true;
  }

  /** Whether what was taken is so much that it has to be acknowledged. */
  get due(): boolean {
    return this.#bytes >= ACK_BYTES || this.#last - this.#acked >= ACK_MESSAGES;
  }

  /** Acknowledges it: the number for an `ack`. */
  ack(): number {
    this.#bytes = 0;
    this.#acked = this.#last;
    return this.#last;
  }
}
