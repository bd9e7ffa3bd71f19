/**
 * Estimates how far the proxy's reading is behind a process's writing. The broker does not say how much output it holds
 * unread, but its answers wait in the same queue. So the proxy sends a probe, and counts the output before the answer.
 */

/** Bytes of output between an answer and the next probe. */
const EVERY = 512 * 1024;

/** More bytes than this before an answer are too much. */
const MOST = 1024 * 1024;

/** The estimate for one process. At most one probe is unanswered. */
export class UnreadEstimate {
  readonly #probe: (answered: () => void) => void;
  readonly #caughtUp: () => void;
  #waiting = false;
  /** Output since the probe while `#waiting`, otherwise since its answer. */
  #bytes = 0;

  /**
   * @param probe sends a request that the process's broker answers at once
   * @param caughtUp is called at the answer that ends `behind`
   */
  constructor(probe: (answered: () => void) => void, caughtUp: () => void) {
    this.#probe = probe;
    this.#caughtUp = caughtUp;
  }

  /** True if the process should stop until the proxy has read more. */
  get behind(): boolean {
    return this.#waiting && this.#bytes > MOST;
  }

  /** Output has come. */
  received(bytes: number): void {
    this.#bytes += bytes;
    if (this.#waiting || this.#bytes < EVERY) return;
    this.#waiting = true;
    this.#bytes = 0;
    this.#probe(() => this.#answered());
  }

  #answered(): void {
    const { behind } = this;
    this.#waiting = false;
    this.#bytes = 0;
    if (behind) this.#caughtUp();
  }
}
