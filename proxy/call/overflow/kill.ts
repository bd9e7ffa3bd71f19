/** Overflow that kills the process. The output that waits is sent; later output is dropped. */
import { FluxError } from "../../../src/errors.js";
import { SIGNUM } from "../../../src/protocol/signals.js";
import type { Backlog } from "../../flow/backlog.js";
import type { RankOutput } from "../../flow/rank-output.js";
import type { ProcessSignals } from "../process-signals.js";
import type { OverflowStrategy } from "./overflow-strategy.js";

/** The strategy "kill". */
export class KillOverflow implements OverflowStrategy {
  readonly #output: RankOutput;
  readonly #backlog: Backlog;
  readonly #signals: ProcessSignals;
  #killed = false;
  #dropped = 0;

  constructor(output: RankOutput, backlog: Backlog, signals: ProcessSignals) {
    this.#output = output;
    this.#backlog = backlog;
    this.#signals = signals;
  }

  takes(bytes: number): boolean {
    if (this.#killed) this.#dropped += bytes;
    return !this.#killed;
  }

  took(): void {
    if (this.#killed || this.#output.bytes <= this.#backlog.high) return;
    this.#killed = true;
    this.#signals.prepare([SIGNUM.SIGKILL], () => this.#signals.send(SIGNUM.SIGKILL));
  }

  stopped(): boolean {
    return true;
  }

  get error(): FluxError | undefined {
    if (!this.#killed) return undefined;
    const message = `killed: its output was not taken in time, and ${this.#dropped} bytes of it are dropped`;
    return new FluxError("ENOBUFS", message);
  }

  drained(): void {}
  signed(): void {}
  end(): void {}
}
