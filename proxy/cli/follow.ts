/** Follows a process to its end: passes its output on, forwards signals to it, and exits with its exit code. */
import { type Observable, tap } from "rxjs";
import { consume, type Flux, kill, type ProcessEvent, type Status, signalNumber } from "../../src/index.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import { explain, say } from "./errors.js";
import { FAILED } from "./exit-code.js";
import { Interrupts } from "./interrupt.js";
import { Output } from "./output.js";
import { Report } from "./report.js";
import { onSignals } from "./signals.js";

/** The output, the input and the signals of a process that a command follows. */
export interface FollowOptions {
  /** The verb of the command line. */
  command: string;
  /** The name of the process, for messages. */
  subject: string;
  service: string;
  /** Sign the signals that are forwarded, as the process's own request was. */
  sign?: boolean;
  /** The names of hosts, if they tell ranks apart. */
  hosts?: ReadonlyMap<number, string> | undefined;
  labelIo?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  /** The message at Ctrl-C, which then leaves the process running. Absent: Ctrl-C is forwarded. */
  detached?: string;
}

/** @returns the exit code, once the process has ended on every rank or the user has left it */
export function follow(
  flux: Flux,
  events: Observable<ProcessEvent>,
  options: FollowOptions,
): Promise<number> {
  return new Promise((resolve) => new Follower(flux, options, resolve).start(events));
}

class Follower {
  readonly #flux: Flux;
  readonly #options: FollowOptions;
  readonly #resolve: (code: number) => void;
  readonly #report: Report;
  readonly #output: Output;
  readonly #interrupts = new Interrupts();
  #lost = false;
  #stop = () => {};

  constructor(flux: Flux, options: FollowOptions, resolve: (code: number) => void) {
    this.#flux = flux;
    this.#options = options;
    this.#resolve = resolve;
    this.#report = new Report(options.command, options.subject, options.quiet, options.hosts);
    this.#output = new Output(options.labelIo ?? false);
  }

  start(events: Observable<ProcessEvent>): void {
    const restoreSignals = onSignals({
      SIGINT: () => this.#interrupt(),
      SIGTERM: () => this.#terminate(),
      SIGHUP: () => this.#end(128 + signalNumber("SIGHUP")),
    });
    // Output is consumed when it has been written, so the proxy stops the processes while our reader is slow.
    const written = events.pipe(
      tap((event) => this.#report.event(event)),
      consume((event) => this.#output.event(event)),
    );
    const subscription = written.subscribe({
      error: (error) => {
        this.#report.failed(error);
        this.#complete();
      },
      complete: () => this.#complete(),
    });
    if (!this.#options.quiet)
      subscription.add(this.#flux.status$.subscribe((status) => this.#showStatus(status)));
    this.#stop = () => {
      subscription.unsubscribe();
      restoreSignals();
    };
  }

  #showStatus(status: Status): void {
    const { command, verbose } = this.#options;
    const lost = status.state === "resuming";
    if (lost && !this.#lost) say(command, `${status.error.message}; trying to resume`);
    else if (lost && verbose && status.next === undefined) say(command, `attempt ${status.attempt}`);
    else if (status.state === "open" && this.#lost) say(command, "resumed");
    this.#lost = lost;
  }

  #complete(): void {
    this.#output.end();
    if (!this.#options.quiet) process.stderr.write(this.#report.summary());
    this.#end(this.#report.code);
  }

  #end(code: number): void {
    this.#stop();
    this.#resolve(code);
  }

  #terminate(): void {
    // No process runs: something else keeps the streams open, such as a child of the process.
    if (this.#report.running.size === 0) this.#end(128 + signalNumber("SIGTERM"));
    else this.#signal("SIGTERM");
  }

  #interrupt(): void {
    const { detached } = this.#options;
    const ranks = encodeIdset([...this.#report.running.keys()].sort((a, b) => a - b));
    if (detached !== undefined) {
      process.stderr.write(detached);
      this.#end(0);
    } else if (ranks === "") {
      this.#end(128 + signalNumber("SIGINT"));
    } else {
      this.#forwardInterrupt(ranks);
    }
  }

  #forwardInterrupt(ranks: string): void {
    const action = this.#interrupts.next();
    if (action === "leave") {
      process.stderr.write(`[${ranks}]: command still running at exit\n`);
      this.#end(FAILED);
      return;
    }
    this.#signal("SIGINT");
    if (action === "warn") process.stderr.write("interrupt (Ctrl-C) once more within 1 s to exit\n");
  }

  #signal(name: "SIGINT" | "SIGTERM"): void {
    const { command, verbose } = this.#options;
    if (verbose) say(command, `sending ${name} to ${this.#report.running.size} processes`);
    this.#forward(signalNumber(name));
  }

  #forward(signum: number): void {
    const { command, service, sign, verbose } = this.#options;
    for (const [rank, pid] of this.#report.running) {
      kill(this.#flux, { pid, signum, nodeid: rank, service, sign }).subscribe({
        // The process may have ended. If not, its outcome is still to come.
        error: (error) => {
          if (verbose) say(command, `rank ${rank}: no signal sent: ${explain(error)}`);
        },
      });
    }
  }
}
