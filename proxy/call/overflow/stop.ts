/**
 * Overflow that stops the process while much of its output waits. It also stops a process that writes faster than the proxy reads:
 * the difference would pile up in the broker.
 */
import { SIGNUM } from "../../../src/protocol/signals.js";
import type { Backlog } from "../../flow/backlog.js";
import { Brake } from "../../flow/brake.js";
import type { RankOutput } from "../../flow/rank-output.js";
import { UnreadEstimate } from "../../flow/unread-estimate.js";
import type { ProcessSignals } from "../process-signals.js";
import type { OverflowStrategy } from "./overflow-strategy.js";

const SIGNALS = [SIGNUM.SIGSTOP, SIGNUM.SIGCONT];

/** The most output that waits of a process that does not stop, in bytes. */
const MOST = 4 * 1024 * 1024;

/** The strategy "stop". */
export class StopOverflow implements OverflowStrategy {
  readonly error = undefined;
  readonly #output: RankOutput;
  readonly #backlog: Backlog;
  readonly #signals: ProcessSignals;
  readonly #reportStop: () => void;
  readonly #brake = new Brake();
  readonly #unread: UnreadEstimate;
  #prepared = false;
  #followed = true;

  /** @param reportStop reports to the client that the process has stopped */
  constructor(output: RankOutput, backlog: Backlog, signals: ProcessSignals, reportStop: () => void) {
    this.#output = output;
    this.#backlog = backlog;
    this.#signals = signals;
    this.#reportStop = reportStop;
    this.#unread = new UnreadEstimate(
      (answered) => signals.ask(answered),
      () => this.drained(),
    );
  }

  takes(): boolean {
    return true;
  }

  took(bytes: number): void {
    this.#unread.received(bytes);
    const high = this.#followed && (this.#output.bytes > this.#backlog.high || this.#unread.behind);
    if (high && !this.#prepared) {
      this.#prepared = true;
      this.#signals.prepare(SIGNALS, () => this.took(0));
    }
    // Without a continue at hand the process would stay stopped.
    const ready = SIGNALS.every((signum) => this.#signals.has(signum));
    if (this.#brake.output(bytes, high && ready)) this.#halt();
    while (this.#output.bytes > MOST && this.#drops) this.#output.drop();
  }

  /** True if to drop output: not while the process stops, since its output in flight is kept, but if it cannot be stopped. */
  get #drops(): boolean {
    return this.#brake.unheeded || !this.#signals.possible || this.#backlog.full;
  }

  drained(): void {
    if (this.#unread.behind || this.#output.bytes > this.#backlog.low) return;
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

  /** Its user sends the process a signal. */
  signalled(signum: number): void {
    this.#brake.signalled(signum);
  }

  /** The server took or refused that signal. */
  answered(signum: number, taken: boolean): void {
    const { signal, tell } = this.#brake.answered(signum, taken, performance.now());
    if (tell) this.#reportStop();
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
