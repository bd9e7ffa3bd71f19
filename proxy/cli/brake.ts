/** Flux has no flow control for output: what a slow reader of ours does not take would fill our memory. */
import { signalNumber } from "../../src/index.js";

/** How many bytes may wait before the processes are stopped. */
const LIMIT = 8 * 1024 * 1024;

/** Stops the processes while too much of their output waits for its reader. */
export class Brake {
  readonly #signal: (signum: number) => void;
  readonly #whenDrained: (drained: () => void) => void;
  #limit = LIMIT;

  /**
   * @param signal sends a signal to all processes that run
   * @param whenDrained calls back once nothing waits any more
   */
  constructor(signal: (signum: number) => void, whenDrained: (drained: () => void) => void) {
    this.#signal = signal;
    this.#whenDrained = whenDrained;
  }

  /** Looks at what waits. At each further limit it stops them again, since one may have started in between. */
  check(waiting: number): void {
    if (waiting < this.#limit) return;
    if (this.#limit === LIMIT) this.#whenDrained(() => this.release());
    this.#limit += LIMIT;
    this.#signal(signalNumber("SIGSTOP"));
  }

  /** Lets them continue, if they were stopped. */
  release(): void {
    if (this.#limit === LIMIT) return;
    this.#limit = LIMIT;
    this.#signal(signalNumber("SIGCONT"));
  }
}
