/** The streams between the server and one process: their plan, and the read side of each. */
import type { Readable } from "node:stream";
import { FluxError } from "../../src/errors.js";
import { EXEC_FLAG } from "../../src/protocol/rfc42.js";
import type { ServerCommand } from "./command.js";
import { LOCAL_FLAG } from "./launch.js";
import { bufferSize, splitter } from "./options.js";
import type { Splitter } from "./output.js";

/** A stream of a process before its start. */
export interface StreamPlan {
  name: string;
  /** Its descriptor in the process. */
  fd: number;
  /** The size of the buffer towards the process; undefined if the server does not write. */
  inputSize: number | undefined;
  /** How its output is cut; undefined if the server does not read. */
  splitter: Splitter | undefined;
}

/**
 * The streams of a process (local.c local_setup_stdio and local_setup_channels). The server reads a background
 * process's output whatever its flags.
 * @throws FluxError if an option is invalid or two streams have one name
 */
export function planStreams(
  command: ServerCommand,
  flags: number,
  localFlags: number,
  { background }: { background: boolean },
): StreamPlan[] {
  const { opts } = command;
  const plans: StreamPlan[] = [];
  const add = (name: string, fd: number, uses: { input: boolean; output: boolean }) => {
    if (plans.some((plan) => plan.name === name)) throw new FluxError("EEXIST");
    plans.push({
      name,
      fd,
      inputSize: uses.input ? bufferSize(opts, name) : undefined,
      splitter: uses.output ? splitter(opts, name) : undefined,
    });
  };
  if (!(localFlags & LOCAL_FLAG.stdioFallthrough)) {
    add("stdin", 0, { input: true, output: false });
    if (background || flags & EXEC_FLAG.stdout) add("stdout", 1, { input: false, output: true });
    if (background || flags & EXEC_FLAG.stderr) add("stderr", 2, { input: false, output: true });
  }
  command.channels.forEach((name, i) => {
    add(name, 3 + i, { input: true, output: (flags & EXEC_FLAG.channel) !== 0 });
  });
  return plans;
}

/** True if a client with these flags receives the output of a stream (server.c stream_is_forwarded). */
export function isForwarded(name: string, flags: number): boolean {
  if (name === "stdout") return (flags & EXEC_FLAG.stdout) !== 0;
  if (name === "stderr") return (flags & EXEC_FLAG.stderr) !== 0;
  return (flags & EXEC_FLAG.channel) !== 0;
}

/** The events of an output stream. */
export interface OutputEvents {
  piece(bytes: Uint8Array): void;
  end(): void;
}

/** The read side of one stream. */
export class OutputStream {
  readonly #stream: Readable;
  readonly #splitter: Splitter;
  readonly #events: OutputEvents;
  /** True between `pause` and `resume`. Data events may still come, see the listener. */
  #paused = false;
  /** True after the last piece. */
  #ended = false;

  constructor(stream: Readable, splitter: Splitter, events: OutputEvents) {
    this.#stream = stream;
    this.#splitter = splitter;
    this.#events = events;
    stream.on("data", (chunk: Uint8Array) => {
      this.push(chunk);
      // Node resumes a child's streams by itself when the child exits
      if (this.#paused) stream.pause();
    });
    stream.on("error", () => {}); // "close" follows and ends the output
    stream.on("end", () => this.#end());
    stream.on("close", () => this.#end());
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Uint8Array): void {
    for (const piece of this.#splitter.push(chunk)) this.#events.piece(piece);
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream.resume();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const piece of this.#splitter.end()) this.#events.piece(piece);
    this.#events.end();
  }
}
