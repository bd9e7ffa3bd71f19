/** One output stream of a rank: what of it waits to be sent, and what the client has not consumed. */
import { Chunks } from "./chunks.js";
import type { HeapItem } from "./heap.js";

/** The most process bytes in one frame: others are to have their turn. */
export const MAX_OUTPUT = 64 * 1024;

/** Whose stream it is. */
export interface StreamOwner {
  readonly id: number;
  readonly rank: number;
  /** So many bytes more wait; below 0, fewer. */
  waits(bytes: number): void;
  /** Something was sent. */
  sent(): void;
}

/** What comes next of a stream. */
export type Next = { type: "data"; data: Uint8Array } | { type: "gap"; bytes: number } | { type: "eof" };

export class StreamOutput implements HeapItem {
  readonly name: string;
  readonly owner: StreamOwner;
  key = 0;
  at = -1;
  /** Bytes that were sent and are not consumed. */
  inWindow = 0;
  readonly #chunks = new Chunks();
  /** Bytes that were dropped before the first that waits. */
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

  /** The bytes of the next frame, if all may be sent; 0 if none wait. */
  get frame(): number {
    return Math.min(this.#chunks.first, MAX_OUTPUT);
  }

  get empty(): boolean {
    return this.bytes === 0 && this.#gap === 0 && !this.#eof;
  }

  /** @param data is not to be changed any more */
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
   * What is to be sent next, of a stream that is not empty. A gap comes no sooner than the bytes behind it may.
   * @param room for bytes, if any wait
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
