/** The bytes that wait in the proxy for one session, and the share of one process. PROTOCOL.md, "Flow control". */

/** Bytes for all processes of a session together. */
const BUDGET = 4 * 1024 * 1024;

/** Bytes for one process, while the budget has room. */
const MOST = 1024 * 1024;

/** Bytes for one process in any case: about a pipe's capacity, so that no process is stopped for each line. */
const LEAST = 64 * 1024;

/** The bound beyond which output is dropped. It is high, since output in flight to a stopped process was in the broker before. */
const FULL = 256 * 1024 * 1024;

/** Counts one session's bytes, and derives each process's limits from the free part. */
export class Backlog {
  #bytes = 0;

  /** Bytes of one process that may wait before its overflow policy acts: at most the budget's free part. */
  get high(): number {
    return Math.max(LEAST, Math.min(MOST, BUDGET - this.#bytes));
  }

  /** A process goes on when at most this many of its bytes wait. */
  get low(): number {
    return this.high / 4;
  }

  /** True if new output must be dropped, even of a process that is about to stop. */
  get full(): boolean {
    return this.#bytes > FULL;
  }

  /** @param bytes that wait from now on; negative if they no longer wait */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
