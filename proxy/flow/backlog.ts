/** The bytes that wait in the proxy for one session, and the share of one process. PROTOCOL.md, "Flow control". */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Limits in bytes. */
interface Limits {
  /** For all processes of a session together. */
  readonly budget: number;
  /** For one process, while the budget has room. */
  readonly most: number;
  /** For one process in any case. */
  readonly least: number;
  /** The bound beyond which output is dropped, of any process. */
  readonly full: number;
}

/**
 * `least` is about a pipe's capacity, so that no process is stopped for each line. `full` is high, since output in flight to a stopped
 * process was in the broker before.
 */
const PRESENT: Limits = { budget: 4 * MIB, most: MIB, least: 64 * KIB, full: 256 * MIB };

/** While the client has no socket, perhaps for days. What waited before stays. */
const ABSENT: Limits = { budget: MIB, most: 256 * KIB, least: 16 * KIB, full: 16 * MIB };

/** Counts one session's bytes, and derives each process's limits from the free part. */
export class Backlog {
  #bytes = 0;
  #limits = PRESENT;

  /** Bytes of one process that may wait before its overflow policy acts: at most the budget's free part. */
  get high(): number {
    const { budget, most, least } = this.#limits;
    return Math.max(least, Math.min(most, budget - this.#bytes));
  }

  /** A process goes on when at most this many of its bytes wait. */
  get low(): number {
    return this.high / 4;
  }

  /** True if output must be dropped, even of a process that is about to stop. */
  get full(): boolean {
    return this.#bytes > this.#limits.full;
  }

  /** The client has a socket, or has lost it. */
  set present(present: boolean) {
    this.#limits = present ? PRESENT : ABSENT;
  }

  /** @param bytes that wait from now on; negative if they no longer wait */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
