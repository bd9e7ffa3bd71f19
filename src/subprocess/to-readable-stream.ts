import type { Observable } from "rxjs";
import { readerIterator } from "./input.js";
import { Pulled } from "./pulled.js";

/**
 * A ReadableStream of what an Observable emits. What is not yet read is not consumed, so that a slow reader slows the
 * process. The first read subscribes, `cancel` unsubscribes.
 *
 *     const response = new Response(toReadableStream(exec(flux, ["tar", "c", "."]).pipe(stdout())));
 */
export function toReadableStream<T>(source: Observable<T>): ReadableStream<T> {
  const pulled: Pulled<T> = new Pulled<T>({
    start: () => {
      subscription = source.subscribe({
        next: (value) => pulled.push(value),
        error: (error) => pulled.fail(error),
        complete: () => pulled.end(),
      });
    },
    cancel: () => subscription?.unsubscribe(),
  });
  let subscription: { unsubscribe(): void } | undefined;
  return pulled.stream;
}

/**
 * What an Observable emits, for `for await`. What the loop has not come to is not consumed; leaving the loop unsubscribes.
 *
 *     for await (const line of values(exec(flux, ["make"]).pipe(stdout(), lines()))) console.log(line);
 */
export function values<T>(source: Observable<T>): AsyncIterableIterator<T> {
  const iterator = readerIterator(toReadableStream(source).getReader());
  return Object.assign(iterator, {
    [Symbol.asyncIterator]: () => iterator as AsyncIterableIterator<T>,
  });
}
