/** Copies an input source to the queue of its stream, at the speed of the process if the source allows. */
import type { Subscribable } from "rxjs";
import type { FluxError } from "../errors.js";
import type { InputQueue } from "../session/input-queue.js";
import { toBytes } from "./bytes.js";

/** A piece of input: text as UTF-8, or bytes. */
export type Chunk = string | Uint8Array;

/**
 * Input of a process: text (UTF-8), bytes, or a source of either. A ReadableStream or an iterable is read at the speed of the process.
 * An Observable cannot be slowed: values that it emits ahead of the process stay in memory, so pass an iterable itself and not `from` of
 * it. `NEVER` (RxJS) keeps the stream open for {@link write}.
 */
export type InputSource =
  | Chunk
  | Subscribable<Chunk>
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | ReadableStream<Chunk>
  | ReadableStream<string>
  | ReadableStream<Uint8Array>;

/** @throws TypeError if `source` is not an {@link InputSource} */
export function checkInput(source: unknown): asserts source is InputSource {
  if (typeof source === "string") return;
  const valid =
    typeof source === "object" &&
    source !== null &&
    ["subscribe", "getReader", Symbol.asyncIterator, Symbol.iterator].some((key) => key in source);
  if (!valid)
    throw new TypeError("stdin is text, bytes, an Observable, an async iterable or a ReadableStream");
}

/**
 * Writes all of `source`, then the end of the stream. Ends the source when the process no longer reads.
 * @param failed receives the error of the source, or EPERM if the token does not allow input
 * @returns ends the source
 */
export function pump(source: InputSource, queue: InputQueue, failed: (error: unknown) => void): () => void {
  queue.lost = failed;
  /** Resolves to true if the process still reads. */
  const write = (bytes: Uint8Array): Promise<boolean> =>
    queue.write(bytes).then(
      () => true,
      (error: FluxError) => {
        // EPIPE is not an error of the input: the process has closed it or has ended, and its outcome is reported.
        if (error.code !== "EPIPE") failed(error);
        return false;
      },
    );
  if (typeof source === "string" || source instanceof Uint8Array) {
    void write(toBytes(source));
    queue.end();
    return ignore;
  }
  const sink: Sink = { write, end: () => queue.end(), failed };
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

/** An iterator over a reader. `return` cancels the stream. */
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
