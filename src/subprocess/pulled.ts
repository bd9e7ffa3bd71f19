/** A ReadableStream of pushed values. A value counts as consumed when it is read. */
import { hold } from "../session/consumption.js";

/** Callbacks of {@link Pulled}. */
export interface PulledOptions {
  /** Called at the first read. */
  start?(): void;
  /** Called when the reader cancels. */
  cancel?(): void;
}

/** Holds pushed values until they are read. */
export class Pulled<T> {
  /** The stream for the reader. */
  readonly stream: ReadableStream<T>;
  readonly #waiting: { value: T; letGo: () => void }[] = [];
  #controller!: ReadableStreamDefaultController<T>;
  /** True while a read waits. */
  #wanted = false;
  /** False after the stream has ended or was cancelled. */
  #open = true;
  /** Ends the stream, after the values that wait; undefined until `end` or `fail`. */
  #end: (() => void) | undefined;

  /** Without values. */
  constructor({ start, cancel }: PulledOptions = {}) {
    let begin = start;
    this.stream = new ReadableStream<T>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.#wanted = true;
          begin?.();
          begin = undefined;
          this.#flush();
        },
        cancel: () => {
          this.#open = false;
          this.#letGo();
          cancel?.();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Adds a value. */
  push(value: T): void {
    if (!this.#open || this.#end) return;
    this.#waiting.push({ value, letGo: hold() });
    this.#flush();
  }

  /** Closes the stream, after the values that wait. */
  end(): void {
    this.#finish(() => this.#controller.close());
  }

  /** Errors the stream, after the values that wait. */
  fail(error: unknown): void {
    this.#finish(() => this.#controller.error(error));
  }

  /** Counts all values, also later ones, as consumed. @param error the error of a reader that misses some */
  drop(error: unknown): void {
    if (this.#waiting.length > 0) this.#end = undefined;
    this.#letGo();
    this.fail(error);
  }

  #letGo(): void {
    for (const { letGo } of this.#waiting.splice(0)) letGo();
  }

  #finish(end: () => void): void {
    this.#end ??= end;
    this.#flush();
  }

  #flush(): void {
    if (!this.#open) return;
    const next = this.#waiting[0];
    if (next === undefined) {
      this.#open = this.#end === undefined;
      this.#end?.();
    } else if (this.#wanted) {
      this.#wanted = false;
      this.#waiting.shift();
      // This may call `pull` at once.
      this.#controller.enqueue(next.value);
      next.letGo();
      this.#flush();
    }
  }
}
