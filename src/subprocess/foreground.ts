/** A foreground process on one rank or several: the request, the input, and the end. */
import type { Flux } from "../flux.js";
import { boolean, delay, overflow as overflowCheck, timeLimit } from "../protocol/checks.js";
import type { Overflow } from "../protocol/messages.js";
import type { OptionChecks } from "../protocol/options.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { SIGNUM } from "../protocol/signals.js";
import { deadline } from "../request.js";
import type { CallRequest, ClientCall, RankMessage } from "../session/client-call.js";
import type { InputQueue } from "../session/input-queue.js";
import { type FinishedEvent, ProcessEvents, type ProcessObserver } from "./events.js";
import { LaunchFailures, type LaunchOptions, launchedCommand } from "./launch.js";
import { type ServiceOptions, serviceRequest, topicOf } from "./service.js";
import { type Target, targetNodeid } from "./target.js";

/** The options that {@link exec} and {@link spawn} share. */
export interface ForegroundOptions extends LaunchOptions, ServiceOptions {
  /**
   * Forward standard output. Otherwise the process has it closed.
   * @default true
   */
  stdout?: boolean | undefined;
  /**
   * Forward standard error. Otherwise the process has it closed.
   * @default true
   */
  stderr?: boolean | undefined;
  /**
   * The treatment of output that is not consumed in time (PROTOCOL.md, "Flow control"). "stop" sends SIGSTOP until the reader has caught
   * up; "gap" lets the process run and drops the oldest output, with an event for each gap; "kill" ends the process, and its rank with
   * the error ENOBUFS.
   * @default "stop"
   */
  overflow?: Overflow | undefined;
  /**
   * Milliseconds until a rank has started the process, from when the proxy has the request. Then that rank fails with ETIMEDOUT, and a
   * process that starts later is ended. Without a limit, an `unresponsive` event reports a rank that does not answer.
   * @default Infinity
   */
  answerTimeout?: number | undefined;
  /**
   * Milliseconds that the process may run, on each rank from its `started`. Then the client ends it (SIGTERM, and SIGKILL after
   * `killGrace`), and its events go on until the end, with `timedOut` in the outcome. A lost connection delays the signals.
   * @default Infinity
   */
  timeout?: number | undefined;
  /**
   * Milliseconds from SIGTERM to SIGKILL when the process must end, 0 to 2147483647.
   * @default 5000
   */
  killGrace?: number | undefined;
}

/** The checks of the options that {@link ForegroundOptions} adds. */
export const FOREGROUND_OPTIONS: OptionChecks<
  Omit<ForegroundOptions, keyof LaunchOptions | keyof ServiceOptions>
> = {
  stdout: boolean,
  stderr: boolean,
  overflow: overflowCheck,
  answerTimeout: timeLimit,
  timeout: timeLimit,
  killGrace: delay,
};

const DEFAULT_KILL_GRACE = 5000;

/** A checked request for a process in the foreground. */
export interface ForegroundRequest {
  /** The request. */
  call: CallRequest;
  /** The subprocess service. */
  service: string;
  /** Milliseconds from SIGTERM to SIGKILL. */
  killGrace: number;
  /** Milliseconds from the start of a process to SIGTERM; Infinity for none. */
  timeout: number;
  /** The path of env(1) if that starts the program. */
  launcher: string | undefined;
}

/** Makes a request from options that `checkOptions` has checked. @throws TypeError naming the argument that is not valid */
export function foregroundRequest(
  command: readonly string[],
  target: Target,
  options: ForegroundOptions,
): ForegroundRequest {
  const {
    stdout = true,
    stderr = true,
    service = "rexec",
    killGrace = DEFAULT_KILL_GRACE,
    timeout = Number.POSITIVE_INFINITY,
    channels = [],
    overflow,
  } = options;
  // Chunks by default: a message for each line takes fifteen times the time.
  const opts = { stdout_LINE_BUFFER: "false", stderr_LINE_BUFFER: "false", ...options.opts };
  const { cmd, launcher } = launchedCommand(command, { ...options, opts });
  return {
    call: {
      topic: topicOf(service, "exec"),
      nodeid: targetNodeid(target),
      streaming: true,
      payload: {
        cmd,
        flags:
          // sdexec refuses that flag. The proxy grants the credit there.
          (service === "sdexec" ? 0 : EXEC_FLAG.writeCredit) |
          (stdout ? EXEC_FLAG.stdout : 0) |
          (stderr ? EXEC_FLAG.stderr : 0) |
          (channels.length > 0 ? EXEC_FLAG.channel : 0),
      },
      sign: options.sign,
      overflow,
      origin: new Error(),
      program: command[0],
      timeout: deadline(options.answerTimeout),
    },
    service,
    killGrace,
    timeout,
    launcher,
  };
}

/** Runs the request, and ends the process when its caller wants that. */
export class Foreground {
  readonly #flux: Flux;
  readonly #request: ForegroundRequest;
  readonly #call: ClientCall;
  readonly #events: ProcessEvents;
  /** True after `end`. */
  #ending = false;
  /** True after the last message of the request. */
  #over = false;
  /** By rank: the one that a signal to its process waits for. */
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  /** The ranks where a signal has reached the process after its `timeout`. */
  readonly #timedOut = new Set<number>();

  /** Sends the request. Calls the observer only after this returns. */
  constructor(flux: Flux, request: ForegroundRequest, observer: ProcessObserver) {
    this.#flux = flux;
    this.#request = request;
    const events: ProcessObserver = {
      next: (event) => observer.next(event.type === "finished" ? this.#finished(event) : event),
      error: (error) => observer.error(error),
      complete: () => observer.complete(),
    };
    this.#events = new ProcessEvents(events, () => this.#call);
    const { launcher, call } = request;
    const receive = (message: RankMessage) => this.#events.receive(message);
    const launch =
      launcher && new LaunchFailures(launcher, (...error) => this.#call.error(...error), receive);
    this.#call = flux.session.start(call, {
      next: (message) => {
        // A process that starts after `end` must end too.
        const late = this.#ending;
        launch ? launch.receive(message) : receive(message);
        if (message.type !== "response" || message.payload.type !== "started") return;
        if (late) this.#terminate(message.rank);
        else this.#limit(message.rank);
      },
      error: (error) => {
        this.#settle();
        this.#events.lost(error);
      },
      complete: () => {
        this.#settle();
        this.#events.complete();
      },
    });
  }

  /** The queue of stdin or of an auxiliary channel. */
  input(stream: string): InputQueue {
    return this.#call.input(stream);
  }

  /** The ranks where the process runs. */
  get ranks(): number[] {
    return [...this.#events.running.keys()];
  }

  /**
   * Sends a signal to the process on one of `ranks`. Rejects with a FluxError.
   * @param reached is called with the answer, before a later message
   */
  kill(signum: number, rank: number, reached = () => {}): Promise<void> {
    const { service, call } = this.#request;
    const payload = { pid: this.#events.running.get(rank), signum };
    const options = { service, nodeid: rank, sign: call.sign };
    return serviceRequest(this.#flux, "kill", payload, options, reached).forEach(() => {});
  }

  /** Ends the process: SIGTERM now, SIGKILL after `killGrace`. Cancels a request that was not sent. */
  end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    if (this.#flux.session.withdraw(this.#call)) return;
    for (const rank of this.ranks) this.#terminate(rank);
  }

  /** The process of a rank has started: `timeout` begins. */
  #limit(rank: number): void {
    const { timeout } = this.#request;
    if (timeout !== Number.POSITIVE_INFINITY && !this.#ending) {
      this.#after(timeout, rank, () => this.#terminate(rank, () => this.#timedOut.add(rank)));
    }
  }

  /**
   * `killGrace` begins with the answer to SIGTERM, which a lost connection delays.
   * @param reached is called when a signal has reached the process
   */
  #terminate(rank: number, reached?: () => void): void {
    void this.#signal(SIGNUM.SIGTERM, rank, reached).then(() => {
      this.#after(this.#request.killGrace, rank, () => this.#signal(SIGNUM.SIGKILL, rank, reached));
    });
  }

  #after(ms: number, rank: number, action: () => void): void {
    clearTimeout(this.#timers.get(rank));
    if (!this.#over) this.#timers.set(rank, setTimeout(action, ms));
  }

  /** Ignores errors: ESRCH is the aim of the signal, and the end of the session is reported by its own error. */
  async #signal(signum: number, rank: number, reached?: () => void): Promise<void> {
    if (this.#events.running.has(rank)) await this.kill(signum, rank, reached).catch(() => {});
  }

  /** A process that has ended by itself is not there for the signal: ESRCH, or the outcome comes before the answer. */
  #finished(event: FinishedEvent): FinishedEvent {
    const { rank, outcome } = event;
    clearTimeout(this.#timers.get(rank));
    if (!this.#timedOut.has(rank) || outcome.kind === "unknown") return event;
    return { ...event, outcome: { ...outcome, timedOut: this.#request.timeout } };
  }

  #settle(): void {
    this.#over = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }
}
