/** From what a user gives as stdin to the writer of the stream, at the speed of the process where the source allows. */
import type { Subscribable } from "rxjs";
import type { FluxError } from "../errors.js";
import type { InputQueue } from "../session/input-queue.js";
import { toBytes } from "./bytes.js";

type Chunk = string | Uint8Array;

/**
 * What a process reads: text, bytes, or a source of either. A ReadableStream and an async iterable are read as the
 * process reads; an Observable pushes and cannot be told to wait, so what it emits ahead of the process is held in
 * memory: one that can be held up, such as `from` of an async iterable, is better given as what it is made from. `NEVER` (RxJS) keeps
 * the stream open for `write`.
 */
export type InputSource =
  | Chunk
  | Subscribable<Chunk>
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | ReadableStream<Chunk>
  | ReadableStream<string>
  | ReadableStream<Uint8Array>;

/** @throws TypeError if `source` is nothing that a process could read from */
export function checkInput(source: unknown): asserts source is InputSource {
  if (typeof source === "string") return;
  const known =
    typeof source === "object" &&
    source !== null &&
    ["subscribe", "getReader", Symbol.asyncIterator, Symbol.iterator].some((key) => key in source);
  if (!known)
    throw new TypeError("stdin is text, bytes, an Observable, an async iterable or a ReadableStream");
}

/**
 * Writes all of `source`, then the end of the stream. When the process stops reading, the source is told to stop too.
 * @param failed is told when the source fails, or input is not allowed
 * @returns stops it: no more is read from the source
 */
export function pump(source: InputSource, writer: InputQueue, failed: (error: unknown) => void): () => void {
  writer.lost = failed;
  /** @returns whether the process goes on reading */
  const write = (bytes: Uint8Array): Promise<boolean> =>
    writer.write(bytes).then(
      () => true,
      (error: FluxError) => {
        // A process that has closed its input or has ended is no failure of the input: its outcome tells.
        if (error.code !== "EPIPE") failed(error);
        return false;
      },
    );
  if (typeof source === "string" || source instanceof Uint8Array) {
    void write(toBytes(source));
    writer.end();
    return ignore;
  }
  const sink: Sink = { write, end: () => writer.end(), failed };
  return "subscribe" in source ? pumpObservable(source, sink) : pumpIterator(iterate(source), sink);
}

interface Sink {
  write(bytes: Uint8Array): Promise<boolean>;
  end(): void;
  failed(error: unknown): void;
}

function pumpObservable(source: Subscribable<Chunk>, { write, end, failed }: Sink): () => void {
  const subscription = source.subscribe({
    next: (chunk) => {
      try {
        void write(toBytes(chunk)).then((reads) => reads || subscription.unsubscribe());
      } catch (error) {
        failed(error);
      }
    },
    error: failed,
    complete: end,
  });
  return () => subscription.unsubscribe();
}

function pumpIterator(iterator: AsyncIterator<Chunk> | Iterator<Chunk>, sink: Sink): () => void {
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    new Promise((resolve) => resolve(iterator.return?.())).catch(ignore);
  };
  const run = async () => {
    while (!stopped) {
      const { done, value } = await iterator.next();
      if (done) return sink.end();
      if (!(await sink.write(toBytes(value)))) stop();
    }
  };
  run().catch((error) => {
    if (!stopped) sink.failed(error);
    stop();
  });
  return stop;
}

function iterate(
  source: Exclude<InputSource, Chunk | Subscribable<Chunk>>,
): AsyncIterator<Chunk> | Iterator<Chunk> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  if (Symbol.iterator in source) return source[Symbol.iterator]();
  // Not every browser can iterate a ReadableStream.
  return readerIterator((source as ReadableStream<Chunk>).getReader());
}

/** What a reader reads, until it is done or not wanted any more. */
export function readerIterator<T>(reader: ReadableStreamDefaultReader<T>): AsyncIterator<T> {
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

function ignore(): void {}
