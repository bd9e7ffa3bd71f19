/** What a run has shown, for the terminal to show again: the latest of it. */

export type Entry =
  | { readonly type: "output"; readonly rank: number; readonly stream: string; readonly data: Uint8Array }
  /** The end of a stream. */
  | { readonly type: "eof"; readonly rank: number; readonly stream: string }
  /** What was typed for it. */
  | { readonly type: "input"; readonly text: string }
  /** What there is to say of it; of one rank, or of all. */
  | { readonly type: "note"; readonly rank?: number; readonly text: string; readonly bad?: boolean };

/** How many bytes are kept, and what an entry counts beside its own. */
const MOST = 2 * 1024 * 1024;
const ENTRY = 128;

export class Transcript {
  readonly #entries: Entry[] = [];
  #size = 0;
  #dropped = 0;

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** How many bytes of output are not kept any more. */
  get dropped(): number {
    return this.#dropped;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#size += ENTRY + length(entry);
    if (this.#size <= MOST) return;
    // A quarter at once: to take from the front of an array moves all of it.
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
