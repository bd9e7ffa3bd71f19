import { FluxError } from "../errors.js";
import { type Flux, rankNodeid } from "../flux.js";
import { type SignalName, signalName, signalNumber } from "../protocol/signals.js";
import { checkSignal, onAbort } from "../session/abort.js";
import { concat, toBytes } from "./bytes.js";
import { gapError, type ProcessEvent } from "./events.js";
import { Foreground, type ForegroundOptions, foregroundRequest } from "./foreground.js";
import { type Outcome, succeeded } from "./outcome.js";
import { Pulled } from "./pulled.js";

/** Options of {@link spawn}. */
export interface SpawnOptions extends ForegroundOptions {
  /** The broker rank that it runs on, or "any", the default: the one that the proxy is connected to. */
  nodeid?: number | "any" | undefined;
}

/** How a {@link ChildProcess} ended. The shape of `Deno.CommandStatus`. */
export interface CommandStatus {
  /** Whether it exited with 0. */
  readonly success: boolean;
  /** The exit code; 128 + n if signal n ended it. */
  readonly code: number;
  /** The name of the signal that ended it. */
  readonly signal: string | null;
}

/** All that a {@link ChildProcess} wrote. The shape of `Deno.CommandOutput`. */
export interface CommandOutput extends CommandStatus {
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
}

/** A process in the foreground, with streams. The shape of `Deno.ChildProcess`; `pid` is a promise. */
export class ChildProcess {
  /** Rejects with a FluxError if the process could not be started. */
  readonly pid: Promise<number>;
  /** Settles when the process has ended. Rejects with a FluxError if nobody knows how. */
  readonly status: Promise<CommandStatus>;
  /** Takes text and bytes; `ready` is at the speed of the process. */
  readonly stdin: WritableStream<string | Uint8Array>;
  /** Read slowly, it slows the process; cancelled, what comes is dropped. */
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly #process: Foreground;
  readonly #outputs: ReadonlyMap<string, Pulled<Uint8Array>>;

  /** @internal */
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
        // Who pipes into it, and has nothing to write, would never hear of it.
        stdin.error(error);
        pid.reject(error);
        status.reject(error);
      },
      complete: () => {
        for (const output of outputs.values()) output.end();
        pid.reject(new FluxError("EPROTO", "the process finished and was never started"));
      },
    });
    const writer = this.#process.input("stdin");
    let stdin!: WritableStreamDefaultController;
    this.stdin = new WritableStream({
      start: (controller) => {
        stdin = controller;
      },
      write: (chunk) => writer.write(toBytes(chunk)),
      close: () => writer.end(),
      abort: () => writer.end(),
    });
  }

  /** Sends a signal, SIGTERM by default. Rejects with ESRCH if the process does not run (any more). */
  async kill(signal: number | SignalName = "SIGTERM"): Promise<void> {
    const signum = signalNumber(signal);
    await this.pid;
    const [rank] = this.#process.ranks;
    if (rank === undefined) throw new FluxError("ESRCH", "the process is not running");
    await this.#process.kill(signum, rank);
  }

  /** Closes stdin if nobody has it, and reads both outputs to their ends. */
  async output(): Promise<CommandOutput> {
    if (!this.stdin.locked) this.stdin.close().catch(() => {});
    const [stdout, stderr, status] = await Promise.all([
      readAll(this.stdout),
      readAll(this.stderr),
      this.status,
    ]);
    return { ...status, stdout, stderr };
  }

  /** Ends the process (SIGTERM, then SIGKILL after `grace`) and waits until it is gone. Output that was not read is dropped: its reader gets ECANCELED. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.end();
    const error = new FluxError("ECANCELED", "disposed of");
    for (const output of this.#outputs.values()) output.drop(error);
    await this.status.catch(() => {});
  }
}

/**
 * Starts a process in the foreground at once (RFC 42 exec, streaming), as streams and promises.
 *
 *     const { stdout } = await spawn(flux, ["hostname"]).output();
 *
 * Its output is consumed as it is read. As with a pipe, a process that writes and is not read does not get on: cancel what
 * is of no interest.
 *
 * As with Deno, `signal` ends the process (SIGTERM, then SIGKILL after `grace`), and `status` tells how it ended; of
 * what was not started yet it rejects with ECANCELED.
 *
 * @param command the program and its arguments
 * @throws TypeError if an argument is wrong; what goes wrong later rejects `pid` and `status` with a FluxError
 */
export function spawn(flux: Flux, command: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const request = foregroundRequest(command, rankNodeid(options.nodeid ?? "any"), options);
  checkSignal(options.signal);
  let process!: Foreground;
  const child = new ChildProcess((observer) => {
    process = new Foreground(flux, request, observer);
    return process;
  });
  const letGo = onAbort(options.signal, () => process.end());
  child.status.then(letGo, letGo);
  return child;
}

/** Rejects with the cause of what is not known. */
async function commandStatus(outcome: Outcome): Promise<CommandStatus> {
  switch (outcome.kind) {
    case "exited":
      return { success: succeeded(outcome), code: outcome.code, signal: null };
    case "signaled":
      return { success: false, code: 128 + outcome.signal, signal: signalName(outcome.signal) };
    case "unknown":
      throw outcome.cause;
  }
}

function deferred<T>() {
  let resolve!: (value: T | Promise<T>) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...settle) => {
    [resolve, reject] = settle;
  });
  // Whoever awaits it hears of it; that nobody does is no reason to end the program.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(pieces);
    pieces.push(value);
  }
}
