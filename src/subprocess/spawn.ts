import { FluxError } from "../errors.js";
import type { Flux } from "../flux.js";
import { boolean } from "../protocol/checks.js";
import { checkOptions, unchecked } from "../protocol/options.js";
import { type SignalName, signalName, signalNumber } from "../protocol/signals.js";
import { onAbort } from "../session/abort.js";
import { type Bytes, concat, toBytes } from "./bytes.js";
import { CHANNELS_OPTION, COMMAND_OPTIONS } from "./command.js";
import { gapError, type ProcessEvent } from "./events.js";
import { FOREGROUND_OPTIONS, Foreground, type ForegroundOptions, foregroundRequest } from "./foreground.js";
import { LAUNCH_OPTIONS } from "./launch.js";
import { type Outcome, succeeded } from "./outcome.js";
import { Pulled } from "./pulled.js";
import { SERVICE_OPTIONS } from "./service.js";
import { isSeveral } from "./target.js";

/** Options of {@link spawn}. */
export interface SpawnOptions extends ForegroundOptions {
  /**
   * The broker rank; "any", the broker that the proxy is connected to; or the name of a host with one broker.
   * @default "any"
   */
  nodeid?: number | "any" | (string & {}) | undefined;
}

/** The end of a {@link ChildProcess}. Its counterpart is `Deno.CommandStatus`. */
export interface CommandStatus {
  /** True if the process exited with 0. */
  readonly success: boolean;
  /** The exit code; 128 + n if signal n ended the process. */
  readonly code: number;
  /** The name of the signal that ended the process, or null. */
  readonly signal: string | null;
  /** The `timeout` in milliseconds, if it had passed and SIGTERM had reached the process before. */
  readonly timedOut?: number | undefined;
}

/** The end and the whole output of a {@link ChildProcess}. Its counterpart is `Deno.CommandOutput`. */
export interface CommandOutput<T = Bytes> extends CommandStatus {
  /** Standard output. */
  readonly stdout: T;
  /** Standard error. */
  readonly stderr: T;
}

/** Options of {@link ChildProcess.output}. */
export interface OutputOptions {
  /**
   * Decode the output as UTF-8, with U+FFFD for bytes that are not.
   * @default false: bytes
   */
  text?: boolean | undefined;
}

/** A foreground process with streams. Its counterpart is `Deno.ChildProcess`, but `pid` is a promise. */
export class ChildProcess {
  /** The process id. Rejects with a FluxError if the process could not be started. */
  readonly pid: Promise<number>;
  /** Settles when the process has ended. Rejects with a FluxError if the outcome is unknown. */
  readonly status: Promise<CommandStatus>;
  /** Standard input: text (UTF-8) and bytes, at the speed of the process. */
  readonly stdin: WritableStream<string | Uint8Array>;
  /** Standard output. A slow reader slows the process. After `cancel`, output is dropped. */
  readonly stdout: ReadableStream<Uint8Array>;
  /** Standard error, as `stdout`. */
  readonly stderr: ReadableStream<Uint8Array>;
  readonly #process: Foreground;
  readonly #outputs: ReadonlyMap<string, Pulled<Uint8Array>>;

  /** Not for applications: {@link spawn} makes these. */
  constructor(start: never);
  /** @internal */
  constructor(start: (observer: ConstructorParameters<typeof Foreground>[2]) => Foreground);
  constructor(start: (observer: ConstructorParameters<typeof Foreground>[2]) => Foreground) {
    const pid = deferred<number>();
    const status = deferred<CommandStatus>();
    this.pid = pid.promise;
    this.status = status.promise;
    const [stdout, stderr] = [new Pulled<Uint8Array>(), new Pulled<Uint8Array>()];
    this.stdout = stdout.stream;
    this.stderr = stderr.stream;
    const outputs = new Map([
      ["stdout", stdout],
      ["stderr", stderr],
    ]);
    this.#outputs = outputs;
    this.#process = start({
      next: (event: ProcessEvent) => {
        if (event.type === "started") pid.resolve(event.pid);
        else if (event.type === "finished") status.resolve(commandStatus(event.outcome));
        else if (event.type === "output") outputs.get(event.stream)?.push(event.data);
        else if (event.type === "gap") outputs.get(event.stream)?.fail(gapError(event));
        else if (event.type === "eof") outputs.get(event.stream)?.end();
      },
      error: (error) => {
        for (const output of outputs.values()) output.fail(error);
        // A pipe into stdin that has nothing to write would not notice the end.
        stdin.error(error);
        pid.reject(error);
        status.reject(error);
      },
      complete: () => {
        for (const output of outputs.values()) output.end();
        pid.reject(new FluxError("EPROTO", "the process finished and was never started"));
      },
    });
    const queue = this.#process.input("stdin");
    let stdin!: WritableStreamDefaultController;
    this.stdin = new WritableStream({
      start: (controller) => {
        stdin = controller;
      },
      write: (chunk) => queue.write(toBytes(chunk)),
      close: () => queue.end(),
      abort: () => queue.end(),
    });
  }

  /**
   * Sends a signal to the process and its process group.
   *
   * @param signal a Linux signal, as a number or a name
   * @returns rejects with a FluxError: ESRCH if the process has ended
   */
  async kill(signal: number | SignalName = "SIGTERM"): Promise<void> {
    const signum = signalNumber(signal);
    await this.pid;
    const [rank] = this.#process.ranks;
    if (rank === undefined) throw new FluxError("ESRCH", "the process is not running");
    await this.#process.kill(signum, rank);
  }

  /**
   * Closes stdin, unless a writer has locked it, and reads all output.
   *
   * @param options bytes or text
   * @returns rejects with a FluxError if the outcome is unknown
   */
  output(options?: OutputOptions & { text?: false | undefined }): Promise<CommandOutput>;
  output(options: OutputOptions & { text: true }): Promise<CommandOutput<string>>;
  output(options?: OutputOptions): Promise<CommandOutput | CommandOutput<string>>;
  async output(options: OutputOptions = {}): Promise<CommandOutput | CommandOutput<string>> {
    checkOptions("output", options, { text: boolean });
    if (!this.stdin.locked) this.stdin.close().catch(() => {});
    const [stdout, stderr, status] = await Promise.all([
      readAll(this.stdout),
      readAll(this.stderr),
      this.status,
    ]);
    const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return options.text
      ? { ...status, stdout: decoded(stdout), stderr: decoded(stderr) }
      : { ...status, stdout, stderr };
  }

  /** Ends the process (SIGTERM, then SIGKILL after `killGrace`), and waits for that. Drops unread output: its reader gets ECANCELED. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.end();
    const error = new FluxError("ECANCELED", "disposed of");
    for (const output of this.#outputs.values()) output.drop(error);
    await this.status.catch(() => {});
  }
}

/**
 * Starts a foreground process at once (RFC 42 exec, streaming), with streams and promises. Its counterpart is `Deno.Command.spawn`.
 *
 * Output is consumed when it is read. As with a pipe, a process whose output nobody reads has to wait: cancel a stream that you do not
 * need.
 *
 * As with Deno, `signal` ends the process (SIGTERM, then SIGKILL after `killGrace`), and `status` resolves to its end. If the process was
 * not started yet, `status` rejects with ECANCELED.
 *
 * @param command the program and its arguments
 * @param options the rank, and more
 * @returns `pid` and `status` reject with a FluxError if the process cannot be started or is lost
 * @throws TypeError if an argument is not valid
 *
 * @example
 * ```ts
 * const { code, stdout } = await spawn(flux, ["sh", "-c", "echo hello; exit 3"]).output({ text: true });
 * console.log(code, stdout.trim()); // 3 hello
 * ```
 */
export function spawn(flux: Flux, command: readonly string[], options: SpawnOptions = {}): ChildProcess {
  checkOptions(
    "spawn",
    options,
    COMMAND_OPTIONS,
    CHANNELS_OPTION,
    LAUNCH_OPTIONS,
    SERVICE_OPTIONS,
    FOREGROUND_OPTIONS,
    { nodeid: unchecked },
  );
  const { nodeid = "any" } = options;
  if (isSeveral(nodeid)) throw new TypeError(`spawn has one rank, and nodeid is ${JSON.stringify(nodeid)}`);
  const request = foregroundRequest(command, nodeid, options);
  request.call.one = true;
  let process!: Foreground;
  const child = new ChildProcess((observer) => {
    process = new Foreground(flux, request, observer);
    return process;
  });
  const letGo = onAbort(options.signal, () => process.end());
  child.status.then(letGo, letGo);
  return child;
}

/** Rejects with the cause of an unknown outcome. */
async function commandStatus(outcome: Outcome): Promise<CommandStatus> {
  switch (outcome.kind) {
    case "exited":
      return { success: succeeded(outcome), code: outcome.code, signal: null, ...timedOut(outcome) };
    case "signaled":
      return {
        success: false,
        code: 128 + outcome.signal,
        signal: signalName(outcome.signal),
        ...timedOut(outcome),
      };
    case "unknown":
      throw outcome.cause;
  }
}

function timedOut({ timedOut }: { timedOut?: number }): { timedOut?: number } {
  return timedOut ? { timedOut } : {};
}

function deferred<T>() {
  let resolve!: (value: T | Promise<T>) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  // A rejection that the application does not await must not end the program.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Bytes> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(pieces);
    pieces.push(value);
  }
}
