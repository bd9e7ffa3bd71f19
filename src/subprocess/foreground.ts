/** A foreground process on one rank or several: the request, the input, and the end. */
import type { Flux } from "../flux.js";
import { delay, demand, optional, overflow as overflowCheck } from "../protocol/checks.js";
import type { Overflow } from "../protocol/messages.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { SIGNUM } from "../protocol/signals.js";
import { deadline } from "../request.js";
import type { CallRequest, ClientCall } from "../session/client-call.js";
import type { InputQueue } from "../session/input-queue.js";
import { type CommandOptions, commandCreate } from "./command.js";
import { ProcessEvents, type ProcessObserver } from "./events.js";
import { type ServiceOptions, serviceRequest, topicOf } from "./service.js";
import { type Target, targetNodeid } from "./target.js";

/** The options that {@link exec} and {@link spawn} share. */
export interface ForegroundOptions extends CommandOptions, ServiceOptions {
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
  timeout?: number | undefined;
  /**
   * Milliseconds from SIGTERM to SIGKILL when the process must end, 0 to 2147483647.
   * @default 5000
   */
  killGrace?: number | undefined;
}

const DEFAULT_KILL_GRACE = 5000;

/** A checked request for a process in the foreground. */
export interface ForegroundRequest {
  /** The request. */
  call: CallRequest;
  /** The subprocess service. */
  service: string;
  /** Milliseconds from SIGTERM to SIGKILL. */
  killGrace: number;
}

/** Checks the arguments of a verb. @throws TypeError naming the one that is not valid */
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
    channels = [],
    overflow,
  } = options;
  demand("overflow", overflow, (value) => optional(value, overflowCheck));
  demand("killGrace", killGrace, delay);
  // Chunks by default: a message for each line takes fifteen times the time.
  const opts = { stdout_LINE_BUFFER: "false", stderr_LINE_BUFFER: "false", ...options.opts };
  return {
    call: {
      topic: topicOf(service, "exec"),
      nodeid: targetNodeid(target),
      streaming: true,
      payload: {
        cmd: commandCreate(command, { ...options, opts }),
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
      timeout: deadline(options.timeout),
    },
    service,
    killGrace,
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
  /** One for each SIGKILL that is due. */
  readonly #kills: ReturnType<typeof setTimeout>[] = [];

  /** Sends the request. Calls the observer only after this returns. */
  constructor(flux: Flux, request: ForegroundRequest, observer: ProcessObserver) {
    this.#flux = flux;
    this.#request = request;
    this.#events = new ProcessEvents(observer, () => this.#call);
    this.#call = flux.session.start(request.call, {
      next: (message) => {
        // A process that starts after `end` must end too.
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

  /** The queue of stdin or of an auxiliary channel. */
  input(stream: string): InputQueue {
    return this.#call.input(stream);
  }

  /** The ranks where the process runs. */
  get ranks(): number[] {
    return [...this.#events.running.keys()];
  }

  /** Sends a signal to the process on one of `ranks`. Rejects with a FluxError. */
  kill(signum: number, rank: number): Promise<void> {
    const { service, call } = this.#request;
    const payload = { pid: this.#events.running.get(rank), signum };
    const options = { service, nodeid: rank, sign: call.sign };
    return serviceRequest(this.#flux, "kill", payload, options, () => {}).forEach(() => {});
  }

  /** Ends the process: SIGTERM now, SIGKILL after `killGrace`. Cancels a request that was not sent. */
  end(): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    if (!this.#flux.session.withdraw(this.#call)) this.#terminate(this.ranks);
  }

  /** `killGrace` begins with the answer to SIGTERM, which a lost connection delays. */
  #terminate(ranks: readonly number[]): void {
    for (const rank of ranks) {
      void this.#signal(SIGNUM.SIGTERM, rank).then(() => {
        if (this.#over) return;
        this.#kills.push(setTimeout(() => this.#signal(SIGNUM.SIGKILL, rank), this.#request.killGrace));
      });
    }
  }

  /** Ignores errors: ESRCH is the aim of the signal, and the end of the session is reported by its own error. */
  async #signal(signum: number, rank: number): Promise<void> {
    if (this.#events.running.has(rank)) await this.kill(signum, rank).catch(() => {});
  }

  #settle(): void {
    this.#over = true;
    for (const timer of this.#kills) clearTimeout(timer);
  }
}
