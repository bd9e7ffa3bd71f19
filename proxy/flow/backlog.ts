/** What waits in the proxy for one session, and how much of it may be of one process. PROTOCOL.md, "Flow control". */

/** Of all processes of a session together. */
const BUDGET = 4 * 1024 * 1024;

/** Of one process, while there is room for it. */
const MOST = 1024 * 1024;

/** Of one process at any rate: about what a pipe holds, so that none is stopped for every line. */
const LEAST = 64 * 1024;

/** Of all together, at any rate: what is on its way when a process is stopped comes still, and was in the broker before. */
const FULL = 256 * 1024 * 1024;

export class Backlog {
  #bytes = 0;

  /** How much may wait of a process before its overflow policy acts: no more than is free. */
  get high(): number {
    return Math.max(LEAST, Math.min(MOST, BUDGET - this.#bytes));
  }

  /** How little must wait before a process goes on. */
  get low(): number {
    return this.high / 4;
  }

  /** Whether so much waits that nothing is waited for any more. */
  get full(): boolean {
    return this.#bytes > FULL;
  }

  /** So many bytes more wait; below 0, fewer. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
