/**
 * Overflow that stops the process, and lets it go on when little of its output waits. It is stopped as well while it writes
 * faster than we read: what we have not read piles up in the broker.
 */
import { SIGNUM } from "../../../src/protocol/signals.js";
import type { Backlog } from "../../flow/backlog.js";
import { Brake } from "../../flow/brake.js";
import type { RankOutput } from "../../flow/rank-output.js";
import { UnreadEstimate } from "../../flow/unread-estimate.js";
import type { ProcessSignals } from "../process-signals.js";
import type { Overflow } from "./overflow.js";

const SIGNALS = [SIGNUM.SIGSTOP, SIGNUM.SIGCONT];

/** What may wait of a process that does not stop. */
const MOST = 4 * 1024 * 1024;

export class StopOverflow implements Overflow {
  readonly error = undefined;
  readonly #output: RankOutput;
  readonly #backlog: Backlog;
  readonly #signals: ProcessSignals;
  readonly #tell: () => void;
  readonly #brake = new Brake();
  readonly #lag: UnreadEstimate;
  #prepared = false;
  #followed = true;

  /** @param tell tells the client that the process has stopped */
  constructor(output: RankOutput, backlog: Backlog, signals: ProcessSignals, tell: () => void) {
    this.#output = output;
    this.#backlog = backlog;
    this.#signals = signals;
    this.#tell = tell;
    this.#lag = new UnreadEstimate(
      (answered) => signals.ask(answered),
      () => this.drained(),
    );
  }

  takes(): boolean {
    return true;
  }

  took(bytes: number): void {
    this.#lag.received(bytes);
    const high = this.#followed && (this.#output.bytes > this.#backlog.high || this.#lag.behind);
    if (high && !this.#prepared) {
      this.#prepared = true;
      this.#signals.prepare(SIGNALS, () => this.took(0));
    }
    // It is not held before it can be let go as well.
    const ready = SIGNALS.every((signum) => this.#signals.has(signum));
    if (this.#brake.output(bytes, high && ready)) this.#halt();
    while (this.#output.bytes > MOST && this.#drops) this.#output.drop();
  }

  /** What is on its way when a process is stopped is kept; what one writes that cannot be stopped, or goes on, is not. */
  get #drops(): boolean {
    return this.#brake.unheeded || !this.#signals.possible || this.#backlog.full;
  }

  drained(): void {
    if (this.#lag.behind || this.#output.bytes > this.#backlog.low) return;
    if (this.#brake.release()) this.#continue();
  }

  stopped(): boolean {
    return this.#brake.stopped(performance.now());
  }

  signed(stop: string, cont: string): void {
    this.#signals.signed(SIGNUM.SIGSTOP, stop);
    this.#signals.signed(SIGNUM.SIGCONT, cont);
    this.took(0);
  }

  /** Its user sends it a signal. */
  signalled(signum: number): void {
    this.#brake.signalled(signum);
  }

  /** That was taken, or refused. */
  answered(signum: number, taken: boolean): void {
    const { signal, tell } = this.#brake.answered(signum, taken, performance.now());
    if (tell) this.#tell();
    if (signal === "stop") this.#halt();
    else if (signal === "cont") this.#continue();
  }

  end(): void {
    this.#followed = false;
    if (this.#brake.release()) this.#continue();
  }

  #halt(): void {
    this.#signals.send(SIGNUM.SIGSTOP, () => this.#brake.halted());
  }

  #continue(): void {
    this.#signals.send(SIGNUM.SIGCONT, () => this.#brake.continued(performance.now()));
  }
}
