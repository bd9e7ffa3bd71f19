/** One process of sdexec (sdexec.c struct sdproc), until its last response or, for a background process without a wait, its end. */
import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { errnoOf, FluxError } from "../../src/errors.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import { SIGNUM } from "../../src/protocol/signals.js";
import { errorCode, strerror } from "../strerror.js";
import type { ServerCommand } from "./command.js";
import type { Connection, Source } from "./connection.js";
import { encodeIo } from "./io.js";
import type { Request } from "./request.js";
import { RetainedOutput } from "./retained.js";
import { unnamedCause, waitStatus } from "./status.js";
import { OutputStream, type StreamPlan } from "./streams.js";

/** The parts of an {@link SdexecProcess}. */
export interface SdexecProcessParts {
  command: ServerCommand;
  child: ChildProcess;
  pid: number;
  /** The streams that are read. */
  plans: readonly StreamPlan[];
  flags: number;
  /** The exec request. */
  request: Request;
  log: ((message: string) => void) | undefined;
  /** Called after the last response of a foreground process, or when a background one has ended and needs no wait. */
  onDone(): void;
}

/** A process, and the responses of its exec and wait requests. */
export class SdexecProcess implements Source {
  readonly pid: number;
  readonly command: ServerCommand;
  readonly request: Request;
  /** Settles when the process has been reaped. */
  readonly reaped: Promise<void>;
  readonly #parts: SdexecProcessParts;
  readonly #background: boolean;
  readonly #rank: string;
  readonly #outputs: OutputStream[] = [];
  readonly #retained = new RetainedOutput();
  /** True while a wait may come or waits: for a waitable process, until the response of its wait. */
  #waitable: boolean;
  /** The pending wait. Set only while `#waitable`, and undefined again if its client goes. */
  #waiter: Request | undefined;
  /** The wait status. Undefined while the process runs. */
  #status: number | undefined;
  /** The first signal that kills the process but has no name in Node, or 0. */
  #unnamedCause = 0;

  constructor(parts: SdexecProcessParts) {
    const { command, child, pid, plans, flags, request } = parts;
    this.#parts = parts;
    this.pid = pid;
    this.command = command;
    this.request = request;
    this.#background = !request.streaming;
    this.#waitable = this.#background && (flags & EXEC_FLAG.waitable) !== 0;
    this.#rank = String(request.rank);
    child.on("error", () => {}); // Node's own kill() and IPC, which are not used
    child.stdin?.on("error", () => {}); // EPIPE: the process has closed it
    this.reaped = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#exited(waitStatus(code, signal, this.#unnamedCause));
        resolve();
      });
    });
    request.respond({ type: "started", pid });
    if (!this.#background) request.connection.hold(this);
    for (const plan of plans) this.#read(plan);
  }

  /** True while the process runs. A process that has finished is kept only for a wait. */
  get active(): boolean {
    return this.#status === undefined;
  }

  /** Writes to standard input. @returns settles when the process or its socket has taken the bytes, because write(2) waits */
  write(bytes: Uint8Array, eof: boolean): Promise<void> | void {
    const { stdin } = this.#parts.child;
    if (this.#background || !stdin) throw new FluxError("EINVAL", "stdin is closed for a background process");
    if (stdin.writableEnded || stdin.destroyed) return;
    const taken = new Promise<void>((resolve) => {
      stdin.write(bytes, () => resolve());
      stdin.once("close", resolve);
    });
    if (eof) stdin.end();
    return taken;
  }

  /** Signals the main process alone. @throws FluxError */
  kill(signum: number): void {
    if (signum < 1 || signum > 64) throw new FluxError("EINVAL", "Signal number out of range.");
    if (!this.active) throw new FluxError("ESRCH", strerror("ESRCH"));
    this.#unnamedCause ||= unnamedCause(this.pid, signum);
    try {
      process.kill(this.pid, signum);
    } catch (cause) {
      throw new FluxError(errorCode(cause), undefined, { cause });
    }
  }

  killNow(): void {
    if (this.active) this.#signalGroup(SIGNUM.SIGKILL);
  }

  /** Answers a wait now, or when the process has finished. @throws FluxError EINVAL */
  wait(request: Request): void {
    if (!this.#waitable) throw new FluxError("EINVAL", "process is not waitable");
    if (this.#waiter) throw new FluxError("EINVAL", "process is already being waited on");
    this.#waiter = request;
    this.#settle();
  }

  /** Kills the foreground process of a client that has gone, and ends its wait (sdexec.c disconnect_cb). */
  disconnect(connection: Connection): void {
    if (!this.#background && this.request.connection === connection && this.active) this.kill(SIGNUM.SIGKILL);
    if (this.#waiter?.connection === connection) this.#waiter = undefined;
  }

  closeStreams(): void {
    for (const stream of this.#parts.child.stdio) stream?.destroy();
  }

  pause(): void {
    for (const output of this.#outputs) output.pause();
  }

  resume(): void {
    for (const output of this.#outputs) output.resume();
  }

  #read({ name, fd, splitter }: StreamPlan): void {
    if (splitter === undefined) return;
    const output = new OutputStream(this.#parts.child.stdio[fd] as Readable, splitter, {
      piece: (bytes) => this.#output(name, bytes),
      end: () => {
        this.#respond({ type: "output", pid: this.pid, io: { stream: name, rank: this.#rank, eof: true } });
        this.#settle();
      },
    });
    this.#outputs.push(output);
  }

  #output(name: string, bytes: Uint8Array): void {
    const io = encodeIo(name, this.#rank, bytes);
    this.#respond({ type: "output", pid: this.pid, io });
    if (!this.#background) return;
    if (this.#waitable) this.#retained.add(io, bytes.length);
    this.#log(Buffer.from(bytes).toString().replace(/\n$/, ""));
  }

  #exited(status: number): void {
    this.#status = status;
    this.#respond({ type: "finished", status });
    if (this.#background) {
      const signal = status & 0x7f;
      this.#log(signal ? `Killed by signal ${signal}` : `Exit ${status >> 8}`);
    }
    // StopUnit ends the processes that the main process has left behind.
    this.#signalGroup(SIGNUM.SIGTERM);
    this.#parts.child.stdin?.destroy();
    this.#settle();
  }

  /** sdexec.c finalize_exec_request_if_done. */
  #settle(): void {
    const status = this.#status;
    if (status === undefined || this.#outputs.some((output) => !output.ended)) return;
    if (this.#waitable) {
      if (!this.#waiter) return;
      const { output } = this.#retained;
      this.#waiter.respond(output.length > 0 ? { status, output } : { status });
      this.#waitable = false;
    }
    if (!this.#background) {
      this.request.connection.release(this);
      this.request.fail(errnoOf("ENODATA"));
    }
    this.#parts.onDone();
  }

  #respond(response: object): void {
    if (!this.#background) this.request.respond(response);
  }

  #signalGroup(signum: number): void {
    try {
      process.kill(-this.pid, signum);
    } catch (error) {
      if (errorCode(error) !== "ESRCH") throw error;
    }
  }

  #log(text: string): void {
    const name = this.command.label ?? basename(this.command.cmdline[0] ?? "");
    this.#parts.log?.(`${name}[${this.pid}]: ${text}`);
  }
}
