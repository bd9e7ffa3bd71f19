/** The output of processes, on stdout and stderr of this one. */
import { once } from "node:events";
import type { Writable } from "node:stream";
import type { ProcessEvent } from "../../src/index.js";
import { explain, say } from "./errors.js";
import { BROKEN_PIPE, FAILED } from "./exit-code.js";

const NEWLINE = 10;

/** Writes output byte for byte or, labelled, in whole lines that each begin with their rank. */
export class Output {
  readonly #labelled: boolean;
  /** Pieces of lines that have no end yet, by rank and stream. */
  readonly #rest = new Map<string, { rank: number; stream: string; pieces: Uint8Array[] }>();
  /** Sinks whose last labelled line has no end. */
  readonly #unended = new Set<Writable>();

  constructor(labelled: boolean) {
    this.#labelled = labelled;
  }

  /** Writes the output of an event. @returns a promise that resolves when there is room for more */
  async event(event: ProcessEvent): Promise<void> {
    if (event.type !== "output" && event.type !== "eof") return;
    const { rank, stream } = event;
    if (event.type === "eof") this.#flush(rank, stream);
    else if (this.#labelled) this.#writeLines(rank, stream, event.data);
    else sinkOf(stream).write(event.data);
    await drained(sinkOf(stream));
  }

  /** Writes the rest of streams that had no eof. */
  end(): void {
    for (const { rank, stream } of this.#rest.values()) this.#flush(rank, stream);
  }

  #writeLines(rank: number, stream: string, data: Uint8Array): void {
    const key = `${rank} ${stream}`;
    const line = this.#rest.get(key) ?? { rank, stream, pieces: [] };
    const label = Buffer.from(`${rank}: `);
    const out: Uint8Array[] = [];
    let from = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, from)) {
      out.push(label, ...line.pieces.splice(0), data.subarray(from, at + 1));
      from = at + 1;
    }
    if (from < data.length) line.pieces.push(data.subarray(from));
    this.#rest.set(key, line);
    if (out.length > 0) this.#write(sinkOf(stream), out);
  }

  #flush(rank: number, stream: string): void {
    const pieces = this.#rest.get(`${rank} ${stream}`)?.pieces.splice(0) ?? [];
    if (pieces.length === 0) return;
    const sink = sinkOf(stream);
    this.#write(sink, [Buffer.from(`${rank}: `), ...pieces]);
    this.#unended.add(sink);
  }

  /** A line without an end gets one only if another line follows: the process wrote none (as in flux-exec(1)). */
  #write(sink: Writable, pieces: readonly Uint8Array[]): void {
    const newline = this.#unended.delete(sink) ? [Uint8Array.of(NEWLINE)] : [];
    sink.write(Buffer.concat([...newline, ...pieces]));
  }
}

/**
 * Ends this process when its stdout or stderr cannot be written to, as SIGPIPE ends others. The connection ends with
 * it, so that processes in foreground do too.
 */
export function exitOnOutputError(): void {
  const exit = (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(BROKEN_PIPE);
    say(undefined, `Error: ${explain(error)}`);
    process.exit(FAILED);
  };
  process.stdout.on("error", exit);
  process.stderr.on("error", exit);
}

/** Resolves when `sink` has room. */
async function drained(sink: Writable): Promise<void> {
  if (sink.writableNeedDrain) await once(sink, "drain");
}

function sinkOf(stream: string): Writable {
  return stream === "stdout" ? process.stdout : process.stderr;
}
