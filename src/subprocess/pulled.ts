/** A ReadableStream of what is pushed: it is consumed as it is read, and not before. */
import { hold } from "../session/consumption.js";

export interface PulledOptions {
  /** The first read. */
  start?(): void;
  /** Its reader wants no more. */
  cancel?(): void;
}

export class Pulled<T> {
  readonly stream: ReadableStream<T>;
  readonly #waiting: { value: T; letGo: () => void }[] = [];
  #controller!: ReadableStreamDefaultController<T>;
  #wanted = false;
  #open = true;
  /** Ends the stream, after what waits. */
  #end: (() => void) | undefined;

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

  push(value: T): void {
    if (!this.#open || this.#end) return;
    this.#waiting.push({ value, letGo: hold() });
    this.#flush();
  }

  end(): void {
    this.#finish(() => this.#controller.close());
  }

  /** @param error what the reader is told, after what waits */
  fail(error: unknown): void {
    this.#finish(() => this.#controller.error(error));
  }

  /** What waits, and what comes later, counts as consumed. @param error what a reader is told who misses it */
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
      // This may ask for the next one at once.
      this.#controller.enqueue(next.value);
      next.letGo();
      this.#flush();
    }
  }
}
