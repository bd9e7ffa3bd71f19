/** Cuts a process's output into the pieces that become output responses. Pure. */

/** Makes pieces for output responses from the chunks of a stream. */
export interface Splitter {
  push(chunk: Uint8Array): Uint8Array[];
  /** The rest, at the end of the stream. */
  end(): Uint8Array[];
}

const NEWLINE = 0x0a;
const NOTHING = new Uint8Array(0);

/**
 * Cuts output into lines with their newline, however the chunks divide them. A line that is longer than the buffer is cut at the
 * buffer's size, as libsubprocess does when its buffer is full (fbuf_watcher.c data_to_read).
 */
export class LineSplitter implements Splitter {
  /** Holds the start of an incomplete line, in the first {@link #length} bytes. */
  #held = NOTHING;
  #length = 0;

  /** @param size the buffer's size in bytes */
  constructor(readonly size: number) {}

  push(chunk: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, at);
      const lineEnd = newline < 0 ? chunk.length : newline + 1;
      const end = Math.min(lineEnd, at + this.size - this.#length);
      const part = chunk.subarray(at, end);
      const complete = end === newline + 1 || this.#length + part.length === this.size;
      at = end;
      if (complete && this.#length === 0) {
        pieces.push(part);
      } else {
        this.#hold(part);
        if (complete) pieces.push(...this.end());
      }
    }
    return pieces;
  }

  end(): Uint8Array[] {
    if (this.#length === 0) return [];
    const piece = this.#held.subarray(0, this.#length);
    this.#held = NOTHING;
    this.#length = 0;
    return [piece];
  }

  /** Copies, because to keep the chunks would cost a process that writes single bytes a whole chunk for each. */
  #hold(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.min(this.size, Math.max(length, 2 * this.#held.length)));
      grown.set(this.#held.subarray(0, this.#length));
      this.#held = grown;
    }
    this.#held.set(part, this.#length);
    this.#length = length;
  }
}

/** Passes chunks on, cut to the buffer's size. */
export class ChunkSplitter implements Splitter {
  /** @param size the buffer's size in bytes */
  constructor(readonly size: number) {}

  push(chunk: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < chunk.length; at += this.size) pieces.push(chunk.subarray(at, at + this.size));
    return pieces;
  }

  end(): Uint8Array[] {
    return [];
  }
}
