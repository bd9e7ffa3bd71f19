/** One sequence per direction counts text and binary messages alike, from 1. PROTOCOL.md, "Sequence". */
import { CLOSE, ProtocolError } from "./messages.js";

export class Sequence {
  #last = 0;

  /** The number of the last message; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** The number of the next message to send. */
  next(): number {
    return ++this.#last;
  }

  /** Takes note of a received number. @throws ProtocolError if a message was lost or came twice */
  receive(seq: number): void {
    if (seq !== this.#last + 1) {
      throw new ProtocolError(CLOSE.outOfSequence, `message ${seq} came after message ${this.#last}`);
    }
    this.#last = seq;
  }
}
