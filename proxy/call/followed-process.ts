/** The process that an exec or attach follows on one rank: its output, and what becomes of it if that is not taken. */
import type { Overflow as OverflowName } from "../../src/protocol/messages.js";
import type { JsonObject } from "../broker/payload.js";
import type { Brakes, ProcessName } from "../flow/brakes.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox } from "../flow/outbox.js";
import type { RankOutput } from "../flow/rank-output.js";
import { GapOverflow } from "./overflow/gap.js";
import { KillOverflow } from "./overflow/kill.js";
import type { Overflow } from "./overflow/overflow.js";
import { StopOverflow } from "./overflow/stop.js";
import { ProcessSignals, type ProcessSignalsOptions } from "./process-signals.js";

export interface FollowedProcessOptions {
  id: number;
  rank: number;
  overflow: OverflowName;
  outbox: Outbox;
  brakes: Brakes;
  /** Tells the client what its server has said of the process. */
  tell(payload: JsonObject): void;
  /** Its last message was sent. */
  over(): void;
}

/** How a signal gets to it, once its pid is known. */
export type SignalOptions = Omit<ProcessSignalsOptions, "pid">;

export class FollowedProcess {
  readonly #options: FollowedProcessOptions;
  readonly #output: RankOutput;
  /** Until its pid is known nobody can stop it. */
  #overflow: Overflow;
  #pid: number | undefined;
  #stopped: JsonObject = {};
  #unregister = () => {};

  constructor(options: FollowedProcessOptions) {
    this.#options = options;
    const { id, rank, outbox, over } = options;
    this.#output = outbox.open({ id, rank, over, drained: () => this.#overflow.drained() });
    this.#overflow = new GapOverflow(this.#output, outbox.backlog);
  }

  /** Undefined until it has started. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** It runs, or is attached to. */
  started(pid: number, label: ProcessName["label"], options: SignalOptions): void {
    if (this.#pid !== undefined) return;
    this.#pid = pid;
    const { overflow, outbox, brakes, rank, tell } = this.#options;
    if (overflow === "gap") return;
    const signals = new ProcessSignals({ ...options, pid });
    if (overflow === "kill") {
      this.#overflow = new KillOverflow(this.#output, outbox.backlog, signals);
      return;
    }
    const stop = new StopOverflow(this.#output, outbox.backlog, signals, () => tell(this.#stopped));
    this.#overflow = stop;
    this.#unregister = brakes.add(
      options.service,
      rank,
      { pid, label },
      {
        signalled: (signum) => stop.signalled(signum),
        // It may be another session that hears the answer.
        answered: (signum, taken) => options.guard(() => stop.answered(signum, taken)),
      },
    );
  }

  output(stream: string, data: Uint8Array): void {
    if (!this.#overflow.takes(data.length)) return;
    this.#output.push(stream, data);
    this.#overflow.took(data.length);
  }

  eof(stream: string): void {
    this.#output.eof(stream);
  }

  /** It has stopped. @returns whether to tell the client */
  stopped(payload: JsonObject): boolean {
    this.#stopped = payload;
    return this.#overflow.stopped();
  }

  /** The client has signed what stops it and lets it go on. */
  brake(stop: string, cont: string): void {
    this.#overflow.signed(stop, cont);
  }

  /** @throws ProtocolError if it is more than was sent */
  consumed(stream: string, bytes: number): void {
    this.#output.consumed(stream, bytes);
  }

  /** What the rank ends with, in place of what its server says. */
  get error(): Overflow["error"] {
    return this.#overflow.error;
  }

  /** Its last message, after all its output. */
  end(last: ControlMessage): void {
    this.#output.end(last);
  }

  /** It is followed no longer: if we hold it, it goes on. */
  leave(): void {
    this.#unregister();
    this.#overflow.end();
  }
}
