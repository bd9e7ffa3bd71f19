/** Output that waits. Small chunks become one: alone, a line of a few bytes would cost a hundred times its size. */
import { Fifo } from "./fifo.js";

/** Chunks are put together up to this size, in bytes. */
const MERGED = 16 * 1024;

interface Chunk {
  bytes: Uint8Array;
  start: number;
  end: number;
  /** True if `bytes` belongs to this chunk, so that `append` may write behind `end`. */
  own: boolean;
}

/** A queue of chunks. It copies small ones, and keeps large ones by reference. */
export class Chunks {
  readonly #chunks = new Fifo<Chunk>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The size of the first chunk; 0 without chunks. */
  get first(): number {
    const chunk = this.#chunks.first;
    return chunk === undefined ? 0 : chunk.end - chunk.start;
  }

  /** @param data must not change any more */
  push(data: Uint8Array): void {
    this.#bytes += data.length;
    const last = this.#chunks.last;
    if (last !== undefined && last.end - last.start + data.length <= MERGED) append(last, data);
    else this.#chunks.push({ bytes: data, start: 0, end: data.length, own: false });
  }

  /** Takes up to `most` bytes of the first chunk. */
  take(most: number): Uint8Array {
    const chunk = this.#chunks.first as Chunk;
    const end = Math.min(chunk.start + most, chunk.end);
    const data = chunk.bytes.subarray(chunk.start, end);
    chunk.start = end;
    if (chunk.start === chunk.end) this.#chunks.shift();
    this.#bytes -= data.length;
    return data;
  }
}

function append(chunk: Chunk, data: Uint8Array): void {
  const length = chunk.end - chunk.start;
  if (!chunk.own || chunk.end + data.length > chunk.bytes.length) {
    const bytes = new Uint8Array(Math.min(MERGED, 2 * (length + data.length)));
    bytes.set(chunk.bytes.subarray(chunk.start, chunk.end));
    Object.assign(chunk, { bytes, start: 0, end: length, own: true });
  }
  chunk.bytes.set(data, chunk.end);
  chunk.end += data.length;
}
