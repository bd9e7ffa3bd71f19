import type { Observable } from "rxjs";
import { readerIterator } from "./input.js";
import { Pulled } from "./pulled.js";

/**
 * A ReadableStream of an Observable's values. A value is consumed when it is read, so a slow reader slows the process. The first read
 * subscribes, `cancel` unsubscribes.
 *
 * @param source any Observable
 *
 * @example
 * ```ts
 * const response = new Response(toReadableStream(exec(flux, ["echo", "hello"]).pipe(stdout())));
 * console.log((await response.text()).trim()); // hello
 * ```
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
 * An Observable's values, for `for await`. A value is consumed when the loop takes it. Leaving the loop unsubscribes.
 *
 * @param source any Observable
 *
 * @example
 * ```ts
 * const output = exec(flux, ["sh", "-c", "while :; do echo tick; done"]).pipe(stdout(), lines());
 * for await (const line of values(output)) {
 *   console.log(line); // tick
 *   break; // ends the process
 * }
 * ```
 */
export function values<T>(source: Observable<T>): AsyncIterableIterator<T> {
  const iterator = readerIterator(toReadableStream(source).getReader());
  return Object.assign(iterator, {
    [Symbol.asyncIterator]: () => iterator as AsyncIterableIterator<T>,
  });
}
