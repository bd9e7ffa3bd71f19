/**
 * How far our reading is behind what a process writes. What we have not read waits in the broker, which says nothing of
 * it; but its answers stand in the same queue. So we ask, and count what comes before the answer.
 */

/** So many bytes come between an answer and the next question. */
const EVERY = 512 * 1024;

/** So many before an answer are too much. */
const MOST = 1024 * 1024;

export class Lag {
  readonly #ask: (answered: () => void) => void;
  readonly #caughtUp: () => void;
  #asked = false;
  #bytes = 0;

  /**
   * @param ask asks something that the broker of the process answers at once
   * @param caughtUp is told when we are not behind any more
   */
  constructor(ask: (answered: () => void) => void, caughtUp: () => void) {
    this.#ask = ask;
    this.#caughtUp = caughtUp;
  }

  /** Whether the process should wait for us. */
  get behind(): boolean {
    return this.#asked && this.#bytes > MOST;
  }

  /** Output has come. */
  received(bytes: number): void {
    this.#bytes += bytes;
    if (this.#asked || this.#bytes < EVERY) return;
    this.#asked = true;
    this.#bytes = 0;
    this.#ask(() => this.#answered());
  }

  #answered(): void {
    const { behind } = this;
    this.#asked = false;
    this.#bytes = 0;
    if (behind) this.#caughtUp();
  }
}
