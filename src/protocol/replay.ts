/**
 * What was sent and is not acknowledged, so that it can be sent again on another socket. PROTOCOL.md, "Sequence" and
 * "Resuming".
 */
import { CLOSE, ProtocolError } from "./messages.js";

type Encoded = string | Uint8Array<ArrayBuffer>;

interface Kept {
  /** undefined where nothing is ever sent again. */
  message: Encoded | undefined;
  size: number;
}

export class Replay {
  readonly #keep: boolean;
  /** The message after `#acked` first. */
  #kept: Kept[] = [];
  /** How many at the head of `#kept` are acknowledged. */
  #head = 0;
  #acked = 0;
  #bytes = 0;

  /** @param keep whether messages may have to be sent again; if not they are numbered and counted alone */
  constructor(keep: boolean) {
    this.#keep = keep;
  }

  /** The number of the last message; 0 before the first. */
  get last(): number {
    return this.#acked + this.unacked;
  }

  /** How many messages are not acknowledged. */
  get unacked(): number {
    return this.#kept.length - this.#head;
  }

  /** The sizes of those together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes note of the next message, which has the number `last` + 1. @param size what it counts */
  push(message: Encoded, size: number): void {
    this.#kept.push({ message: this.#keep ? message : undefined, size });
    this.#bytes += size;
  }

  /** All up to `seq` is acknowledged. @throws ProtocolError if there was never such a message */
  ack(seq: number): void {
    if (seq > this.last) {
      throw new ProtocolError(CLOSE.malformed, `ack of message ${seq}, the last one sent is ${this.last}`);
    }
    for (; this.#acked < seq; this.#acked++) {
      const kept = this.#kept[this.#head++] as Kept;
      this.#bytes -= kept.size;
      kept.message = undefined;
    }
    if (this.#head < 64 || this.#head * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#head);
    this.#head = 0;
  }

  /**
   * The peer has taken all up to `seq`, or up to what it has acknowledged since it said so.
   * @returns the last message that it has; undefined if there was never such a message, or nothing is kept
   */
  resume(seq: number): number | undefined {
    if (!this.#keep || seq > this.last) return undefined;
    this.ack(seq);
    return this.#acked;
  }

  /** The message with the number `seq`, which is not acknowledged, as it was sent. */
  get(seq: number): Encoded {
    return this.#kept[this.#head + seq - this.#acked - 1]?.message as Encoded;
  }
}
