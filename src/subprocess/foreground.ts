/** A process in the foreground, on one rank or many: the request, its input, and its end at the caller's wish. */
import { deadline, type Flux } from "../flux.js";
import { demand, overflow as isOverflow, optional } from "../protocol/checks.js";
import type { Overflow } from "../protocol/messages.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { SIGNUM } from "../protocol/signals.js";
import type { Call, CallRequest } from "../session/call.js";
import type { InputWriter } from "../session/input.js";
import { type CommandOptions, commandCreate } from "./command.js";
import { ProcessEvents, type ProcessObserver } from "./events.js";
import { type ServiceOptions, serviceRequest, topicOf } from "./service.js";
import { type Target, targetNodeid } from "./target.js";

/** What `exec` and `spawn` have in common. */
export interface ForegroundOptions extends CommandOptions, ServiceOptions {
  /** Whether standard output is forwarded. If not, the process has it closed. Default: true. */
  stdout?: boolean | undefined;
  /** Whether standard error is forwarded. If not, the process has it closed. Default: true. */
  stderr?: boolean | undefined;
  /**
   * What becomes of the process when its output is not consumed in time (PROTOCOL.md, "Flow control"): "stop", the
   * default, stops it with SIGSTOP until its reader has caught up; "gap" lets it run and drops the oldest output, with an
   * event that says how much; "kill" ends it, and its rank with the error ENOBUFS.
   */
  overflow?: Overflow | undefined;
  /**
   * How long a rank may take to start the process, in milliseconds, once the proxy has the request; then that rank fails with
   * ETIMEDOUT, and a process that starts later there is ended. Default: Infinity; an `unresponsive` event tells of a rank that does not answer.
   */
  timeout?: number | undefined;
  /** Milliseconds between SIGTERM and SIGKILL when the process is to end. Default: 5000. */
  grace?: number | undefined;
}

const DEFAULT_GRACE = 5000;

/** A checked request for a process in the foreground. */
export interface ForegroundRequest {
  call: CallRequest;
  service: string;
  grace: number;
}

/** @throws TypeError naming what is wrong */
export function foregroundRequest(
  command: readonly string[],
  target: Target,
  options: ForegroundOptions,
): ForegroundRequest {
  const {
    stdout = true,
    stderr = true,
    service = "rexec",
    grace = DEFAULT_GRACE,
    channels = [],
    overflow,
  } = options;
  demand("overflow", overflow, (value) => optional(value, isOverflow));
  if (!(Number.isFinite(grace) && grace >= 0))
    throw new TypeError("grace is a number of milliseconds, 0 or more");
  // Chunks, unless the caller wants lines: a message per line costs fifteen times the time.
  const opts = { stdout_LINE_BUFFER: "false", stderr_LINE_BUFFER: "false", ...options.opts };
  return {
    call: {
      topic: topicOf(service, "exec"),
      nodeid: targetNodeid(target),
      streaming: true,
      payload: {
        cmd: commandCreate(command, { ...options, opts }),
        flags:
          // sdexec refuses that flag; the proxy gives the credit there.
          (service === "sdexec" ? 0 : EXEC_FLAG.writeCredit) |
          (stdout ? EXEC_FLAG.stdout : 0) |
          (stderr ? EXEC_FLAG.stderr : 0) |
          (channels.length > 0 ? EXEC_FLAG.channel : 0),
      },
      sign: options.sign,
      overflow,
      timeout: deadline(options.timeout),
    },
    service,
    grace,
  };
}

export class Foreground {
  readonly #flux: Flux;
  readonly #request: ForegroundRequest;
  readonly #call: Call;
  readonly #events: ProcessEvents;
  #ending = false;
  #over = false;
  readonly #graces: ReturnType<typeof setTimeout>[] = [];

  /** Sends the request. The observer is never called before this returns. */
  constructor(flux: Flux, request: ForegroundRequest, observer: ProcessObserver) {
    this.#flux = flux;
    this.#request = request;
    this.#events = new ProcessEvents(observer, () => this.#call);
    this.#call = flux.session.start(request.call, {
      next: (message) => {
        // It had not yet started when it was to end.
        const late = this.#ending;
        this.#events.receive(message);
        if (late && message.type === "response" && message.payload.type === "started") {
          this.#terminate([message.rank]);
        }
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

  /** The writer of stdin or of an auxiliary channel. */
  input(stream: string): InputWriter {
    return this.#call.input(stream);
  }

  /** The ranks on which the process runs. */
  get ranks(): number[] {
    return [...this.#events.running.keys()];
  }

  /** Sends a signal to the process on a rank where it runs. Rejects with a FluxError. */
  kill(signum: number, rank: number): Promise<void> {
    const { service, call } = this.#request;
    const payload = { pid: this.#events.running.get(rank), signum };
    const options = { service, nodeid: rank, sign: call.sign };
    return serviceRequest(this.#flux, "kill", payload, options, () => {}).forEach(() => {});
  }

  /** Ends the process: SIGTERM now, SIGKILL after the grace. Nothing is started that was not sent yet. */
  end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    if (!this.#flux.session.withdraw(this.#call)) this.#terminate(this.ranks);
  }

  /** SIGTERM, and SIGKILL where that has not helped in time: the grace begins with the answer, which a lost connection delays. */
  #terminate(ranks: readonly number[]): void {
    for (const rank of ranks) {
      void this.#signal(SIGNUM.SIGTERM, rank).then(() => {
        if (this.#over) return;
        this.#graces.push(setTimeout(() => this.#signal(SIGNUM.SIGKILL, rank), this.#request.grace));
      });
    }
  }

  /** A signal of which nobody is told: what it finds gone is what it is for, and the session tells its own end. */
  async #signal(signum: number, rank: number): Promise<void> {
    if (this.#events.running.has(rank)) await this.kill(signum, rank).catch(() => {});
  }

  #settle(): void {
    this.#over = true;
    for (const timer of this.#graces) clearTimeout(timer);
  }
}
