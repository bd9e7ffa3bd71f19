/** Sent messages until their acknowledgement, to be sent again on another socket. PROTOCOL.md, "Sequence" and "Resuming". */
import { CLOSE, ProtocolError } from "./protocol-error.js";

type Encoded = string | Uint8Array<ArrayBuffer>;

interface Kept {
  /** Undefined if the session cannot be resumed. */
  message: Encoded | undefined;
  size: number;
}

/** Options of {@link Replay}. */
export interface ReplayOptions {
  /** True if messages may have to be sent again. Otherwise they are only numbered and counted. */
  keep: boolean;
}

/** Numbers the messages of one direction, and keeps those that the peer has not acknowledged. */
export class Replay {
  readonly #keep: boolean;
  /** By number: those after `#acked`, without a gap. A map needs no compaction when its oldest entry goes. */
  readonly #kept = new Map<number, Kept>();
  #acked = 0;
  #bytes = 0;

  /** Before the first message. */
  constructor({ keep }: ReplayOptions) {
    this.#keep = keep;
  }

  /** The number of the last message; 0 before the first. */
  get last(): number {
    return this.#acked + this.unacked;
  }

  /** The number of messages that are not acknowledged. */
  get unacked(): number {
    return this.#kept.size;
  }

  /** The sum of the sizes of these. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds the message with the number `last` + 1.
   * @param size its share of `bytes`
   */
  push(message: Encoded, size: number): void {
    this.#kept.set(this.last + 1, { message: this.#keep ? message : undefined, size });
    this.#bytes += size;
  }

  /** Drops all messages up to `seq`. @throws ProtocolError if no message had that number */
  ack(seq: number): void {
    if (seq > this.last) {
      throw new ProtocolError(CLOSE.malformed, `ack of message ${seq}, the last one sent is ${this.last}`);
    }
    while (this.#acked < seq) {
      this.#bytes -= (this.#kept.get(++this.#acked) as Kept).size;
      this.#kept.delete(this.#acked);
    }
  }

  /**
   * The peer has taken all messages up to `seq`, or up to its last acknowledgement if that came later.
   * @returns the last message that the peer has; undefined if no message had that number, or messages are not kept
   */
  resume(seq: number): number | undefined {
    if (!this.#keep || seq > this.last) return undefined;
    this.ack(seq);
    return this.#acked;
  }

  /** The message with the number `seq`, as it was sent. It must not be acknowledged. */
  get(seq: number): Encoded {
    return this.#kept.get(seq)?.message as Encoded;
  }
}
