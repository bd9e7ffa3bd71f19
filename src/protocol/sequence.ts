/** The numbers of received messages, text and binary. PROTOCOL.md, "Sequence". */
import { ACK_BYTES, ACK_MESSAGES } from "./messages.js";
import { CLOSE, ProtocolError } from "./protocol-error.js";

/** Checks the numbers of received messages, and finds when to acknowledge them. */
export class Sequence {
  #last = 0;
  #acked = 0;
  #bytes = 0;

  /** The number of the last message; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /**
   * Counts a message of `bytes` bytes.
   * @returns false if it was received before
   * @throws ProtocolError if a message before it is missing
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

  /** True if an `ack` is due. */
  get due(): boolean {
    return this.#bytes >= ACK_BYTES || this.#last - this.#acked >= ACK_MESSAGES;
  }

  /** Marks all messages as acknowledged. @returns the number for the `ack` */
  ack(): number {
    this.#bytes = 0;
    this.#acked = this.#last;
    return this.#last;
  }
}
