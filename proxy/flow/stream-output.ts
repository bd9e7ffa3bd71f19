/** One output stream of a rank: the bytes that wait, and those that the client has not consumed. */
import { Chunks } from "./chunks.js";
import type { HeapItem } from "./heap.js";

/** The most process bytes in one frame: other streams must get their turn. */
export const MAX_OUTPUT = 64 * 1024;

/** The rank that has the stream. */
export interface StreamOwner {
  readonly id: number;
  readonly rank: number;
  /** @param bytes that wait from now on; negative if they no longer wait */
  waits(bytes: number): void;
  /** A part of the stream was sent. */
  sent(): void;
}

/** The next part of a stream. */
export type Next = { type: "data"; data: Uint8Array } | { type: "gap"; bytes: number } | { type: "eof" };

/** One stream. Its parts come in order: a gap, bytes, the end. */
export class StreamOutput implements HeapItem {
  readonly name: string;
  readonly owner: StreamOwner;
  key = 0;
  at = -1;
  /** Bytes that were sent and not consumed. */
  inWindow = 0;
  readonly #chunks = new Chunks();
  /** Bytes that were dropped before the first that waits, and not reported. */
  #gap = 0;
  #eof = false;

  constructor(name: string, owner: StreamOwner) {
    this.name = name;
    this.owner = owner;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#chunks.bytes;
  }

  /** The size of the next frame if the window has room; 0 if no bytes wait. */
  get frame(): number {
    return Math.min(this.#chunks.first, MAX_OUTPUT);
  }

  get empty(): boolean {
    return this.bytes === 0 && this.#gap === 0 && !this.#eof;
  }

  /** @param data must not change any more */
  push(data: Uint8Array): void {
    this.#chunks.push(data);
    this.owner.waits(data.length);
  }

  end(): void {
    this.#eof = true;
  }

  /** Drops the oldest chunk that waits. */
  drop(): void {
    const { length } = this.#chunks.take(this.#chunks.first);
    this.#gap += length;
    this.owner.waits(-length);
  }

  /**
   * Takes the next part. The stream must not be empty. The caller waits for room even if a gap comes first: a gap is sent no
   * sooner than the bytes behind it.
   * @param room the most bytes to take
   */
  next(room: number): Next {
    if (this.#gap > 0) {
      const bytes = this.#gap;
      this.#gap = 0;
      return { type: "gap", bytes };
    }
    if (this.bytes > 0) {
      const data = this.#chunks.take(room);
      this.inWindow += data.length;
      this.owner.waits(-data.length);
      return { type: "data", data };
    }
    this.#eof = false;
    return { type: "eof" };
  }
}
