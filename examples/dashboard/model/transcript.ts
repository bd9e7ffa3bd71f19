/** A run's latest entries, for the terminal to show again. */

export type Entry =
  | { readonly type: "output"; readonly rank: number; readonly stream: string; readonly data: Uint8Array }
  /** The end of a stream. */
  | { readonly type: "eof"; readonly rank: number; readonly stream: string }
  /** A line of input. */
  | { readonly type: "input"; readonly text: string }
  /** A message about one rank, or about the whole run. */
  | { readonly type: "note"; readonly rank?: number; readonly text: string; readonly bad?: boolean };

/** The most bytes of all entries. */
const MOST = 2 * 1024 * 1024;
/** Bytes that an entry costs beside its data. */
const ENTRY = 128;

export class Transcript {
  readonly #entries: Entry[] = [];
  #size = 0;
  #dropped = 0;

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Bytes of output that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#size += ENTRY + length(entry);
    if (this.#size <= MOST) return;
    // Drops a quarter at once, since each removal at the front moves the whole array.
    let from = 0;
    while (this.#size > MOST * 0.75) {
      const oldest = this.#entries[from++] as Entry;
      this.#size -= ENTRY + length(oldest);
      this.#dropped += length(oldest);
    }
    this.#entries.splice(0, from);
  }
}

function length(entry: Entry): number {
  return entry.type === "output" ? entry.data.length : 0;
}
