/** One process of a rank, from its start to its last response. */
import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import type { Duplex } from "node:stream";
import { errnoOf, FluxError } from "../../src/errors.js";
import { EXEC_FLAG, type IoObject } from "../../src/protocol/rfc42.js";
import { SIGNUM } from "../../src/protocol/signals.js";
import { errorCode, strerror } from "../strerror.js";
import { commandObject, type ServerCommand } from "./command.js";
import type { Source } from "./connection.js";
import { Input } from "./input.js";
import { encodeIo } from "./io.js";
import { LOCAL_FLAG } from "./launch.js";
import type { Request } from "./request.js";
import { RetainedOutput } from "./retained.js";
import { noteContinued, unwatchStops, watchStops } from "./sigchld.js";
import { unnamedCause, waitStatus } from "./status.js";
import { isForwarded, OutputStream, type StreamPlan } from "./streams.js";

/** The parts of a {@link Subprocess}. */
export interface SubprocessParts {
  command: ServerCommand;
  child: ChildProcess;
  pid: number;
  plans: readonly StreamPlan[];
  flags: number;
  localFlags: number;
  /** The exec request. Streaming: the client listens to the process until it ends. */
  request: Request;
  /** Called once the process has ended and the server has read all output, and on a failure. */
  onDone: (subprocess: Subprocess) => void;
  log: ((message: string) => void) | undefined;
}

/** A process that was started. */
export class Subprocess implements Source {
  readonly pid: number;
  readonly command: ServerCommand;
  readonly background: boolean;
  /** Settles when the process has been reaped. */
  readonly reaped: Promise<void>;
  /** True while the server keeps the process for a wait: false in the foreground, and after a failure or an attach that saw the end. */
  waitable: boolean;
  /** The pending wait. Set only while `waitable` and without a client; undefined again if the waiting client goes. */
  waiter: Request | undefined;
  readonly retained = new RetainedOutput();
  readonly #parts: SubprocessParts;
  readonly #rank: string;
  readonly #inputs = new Map<string, Input>();
  readonly #outputs = new Map<string, OutputStream>();
  /** The request that receives output and status: undefined in the background without an attach, and after a detach. */
  #client: Request | undefined;
  /** The exec flags, then those of the latest attach. */
  #flags: number;
  /** "exited": the process is reaped and a stream is open. "done": all streams have ended. "failed": after an internal error. */
  #state: "running" | "exited" | "done" | "failed" = "running";
  /** The wait status. 0 while the state is "running". */
  #status = 0;
  /** The first signal that kills the process but has no name in Node, or 0. */
  #unnamedCause = 0;

  constructor(parts: SubprocessParts) {
    this.#parts = parts;
    this.pid = parts.pid;
    this.command = parts.command;
    this.background = !parts.request.streaming;
    this.waitable = this.background && (parts.flags & EXEC_FLAG.waitable) !== 0;
    this.#flags = parts.flags;
    this.#rank = String(parts.request.rank);
    this.reaped = new Promise((resolve) => {
      parts.child.once("exit", (code, signal) => {
        this.#exited(waitStatus(code, signal, this.#unnamedCause));
        resolve();
      });
    });
    parts.child.on("error", () => {}); // Node's own kill() and IPC, which are not used

    parts.request.respond({ type: "started", pid: this.pid });
    if (!this.background) this.#listen(parts.request);
    for (const plan of parts.plans) this.#openStream(plan);
    watchStops(this.pid, () => this.#client?.respond({ type: "stopped" }));
  }

  /** The receiver of the output and the status: the exec request of a foreground process, or an attach. */
  get client(): Request | undefined {
    return this.#client;
  }

  /** True while the process runs or its group holds its output open (subprocess.c flux_subprocess_active). */
  get active(): boolean {
    return this.#state === "running" || this.#state === "exited";
  }

  get running(): boolean {
    return this.#state === "running";
  }

  get status(): number {
    return this.#status;
  }

  /** Adds text to stderr, which the process in Flux writes there before its program starts. */
  complain(text: string): void {
    this.#outputs.get("stderr")?.push(Buffer.from(text));
  }

  /** Sends a client everything from now on, and the ends of streams that have ended (server.c server_attach_cb). */
  attach(request: Request, flags: number): void {
    this.#flags = flags;
    request.respond({ type: "attached", pid: this.pid, cmd: commandObject(this.command) });
    if (this.active) this.#listen(request);
    for (const [name, output] of this.#outputs) if (output.ended) this.#forwardEnd(name, request);
    if (this.#state !== "running") request.respond({ type: "finished", status: this.#status });
    if (this.#state === "done") request.fail(errnoOf("ENODATA"));
  }

  /** Returns to the background, after the client has gone. */
  detach(): void {
    this.#client?.connection.release(this);
    this.#client = undefined;
  }

  /** Writes to stdin or a channel, and closes it if `eof`. A write that fails ends the process (RFC 42 write). */
  write(stream: string, bytes: Uint8Array, eof: boolean): void {
    if (this.#state !== "running") return;
    try {
      const input = this.#inputs.get(stream);
      if (!input) throw new FluxError("EINVAL");
      if (bytes.length > 0) input.write(bytes);
      if (eof) input.close();
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      this.#fail(error);
    }
  }

  /** Signals the process group, or only the process if it has no group of its own. @throws FluxError */
  kill(signum: number): void {
    const group = !(this.#parts.localFlags & LOCAL_FLAG.noSetpgrp);
    if (signum === 0) throw new FluxError("EINVAL", strerror("EINVAL"));
    if (group ? !this.active : !this.running) throw new FluxError("ESRCH", strerror("ESRCH"));
    const cause = this.running ? unnamedCause(this.pid, signum) : 0;
    try {
      process.kill(group ? -this.pid : this.pid, signum);
    } catch (error) {
      const code = errorCode(error);
      throw new FluxError(code, `${group ? "killpg" : "kill"}: ${strerror(code)}`, { cause: error });
    }
    this.#unnamedCause ||= cause;
    if (signum === SIGNUM.SIGCONT) noteContinued(this.pid);
  }

  /** Sends SIGKILL, and ignores a failure. */
  killNow(): void {
    try {
      this.kill(SIGNUM.SIGKILL);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
    }
  }

  /** Closes the streams, which a process outside the process group may hold open for ever. */
  closeStreams(): void {
    for (const stream of this.#parts.child.stdio) stream?.destroy();
  }

  pause(): void {
    for (const output of this.#outputs.values()) output.pause();
  }

  resume(): void {
    for (const output of this.#outputs.values()) output.resume();
  }

  #listen(request: Request): void {
    this.#client = request;
    request.connection.hold(this);
  }

  #openStream({ name, fd, inputSize, splitter }: StreamPlan): void {
    const stream = this.#parts.child.stdio[fd] as Duplex;
    if (inputSize !== undefined) {
      const credit = (this.#parts.flags & EXEC_FLAG.writeCredit) !== 0;
      const give = (bytes: number) => {
        if (credit) this.#client?.respond({ type: "add-credit", channels: { [name]: bytes } });
      };
      const input = new Input(stream, inputSize, give);
      this.#inputs.set(name, input);
      if (this.background) input.close();
      else give(inputSize);
    }
    if (splitter) {
      const output = new OutputStream(stream, splitter, {
        piece: (bytes) => this.#output(name, bytes),
        end: () => {
          this.#forwardEnd(name);
          this.#inputs.get(name)?.close();
          this.#checkDone();
        },
      });
      this.#outputs.set(name, output);
    }
  }

  #output(name: string, bytes: Uint8Array): void {
    const client = isForwarded(name, this.#flags) ? this.#client : undefined;
    if (client || this.waitable) {
      const io = encodeIo(name, this.#rank, bytes);
      client?.respond({ type: "output", pid: this.pid, io });
      if (this.waitable) this.retained.add(io, bytes.length);
    }
    if (this.background && this.#parts.log) this.#log(Buffer.from(bytes).toString());
  }

  #forwardEnd(name: string, client = this.#client): void {
    const io: IoObject = { stream: name, rank: this.#rank, eof: true };
    if (isForwarded(name, this.#flags)) client?.respond({ type: "output", pid: this.pid, io });
  }

  #exited(status: number): void {
    unwatchStops(this.pid);
    if (this.#state !== "running") return;
    this.#state = "exited";
    this.#status = status;
    this.#client?.respond({ type: "finished", status });
    this.#checkDone();
  }

  /** Sends RFC 42's exec error response ENODATA, once the process and every stream have ended. */
  #checkDone(): void {
    if (this.#state !== "exited" || [...this.#outputs.values()].some((output) => !output.ended)) return;
    this.#state = "done";
    if (this.background) this.#logEnd();
    this.#client?.connection.release(this);
    this.#client?.fail(errnoOf("ENODATA"));
    this.closeStreams();
    this.#parts.onDone(this);
  }

  /** Kills the process, sends the client the error, and removes the process (server.c proc_internal_fatal). */
  #fail({ code, errno }: FluxError): void {
    this.killNow();
    this.#state = "failed";
    this.waitable = false;
    const client = this.#client;
    this.detach();
    client?.fail(errno, `internal fatal error: ${strerror(code)}`);
    this.closeStreams();
    this.#parts.onDone(this);
  }

  /** Logs the end as server.c proc_completion_cb does, with another name of the process than its output has. */
  #logEnd(): void {
    const { label, cmdline } = this.command;
    const signal = this.#status & 0x7f;
    const [path = ""] = cmdline;
    const name = `${label === undefined ? "" : `${label}: `}${signal ? path : basename(path)}`;
    const end = signal ? `Killed by signal ${signal}` : `Exit ${this.#status >> 8}`;
    this.#parts.log?.(`${name}[${this.pid}]: ${end}`);
  }

  #log(text: string): void {
    const name = this.command.label ?? basename(this.command.cmdline[0] ?? "");
    this.#parts.log?.(`${name}[${this.pid}]: ${text}`);
  }
}
