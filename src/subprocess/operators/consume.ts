import {
  concatMap,
  defer,
  finalize,
  from,
  map,
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
} from "rxjs";
import { hold } from "../../session/consumption.js";

/**
 * concatMap, with flow control: a value counts as consumed when its projection has completed, so a slow consumer slows the process.
 * Without this operator, a value counts as consumed when the observer's `next` returns.
 *
 * Place it after `stdout`, `text`, `lines` and other operators that emit at once. After one that emits later, such as `delay` or
 * `bufferTime`, the origin of a value is not known.
 *
 * @param project consumes a value: returns a promise, an Observable or an iterable
 *
 * @example
 * ```ts
 * const store = async (line: string) => line.length; // takes a line, in its own time
 * exec(flux, ["sh", "-c", "echo one; echo three"])
 *   .pipe(stdout(), lines(), consume(store))
 *   .subscribe((length) => console.log(length)); // 3, 5
 * ```
 */
export function consume<T, O extends ObservableInput<unknown>>(
  project: (value: T, index: number) => O,
): OperatorFunction<T, ObservedValueOf<O>> {
  return (source) =>
    defer(() => {
      const held = new Set<() => void>();
      return source.pipe(
        map((value) => {
          const letGo = hold();
          held.add(letGo);
          return { value, letGo };
        }),
        concatMap(({ value, letGo }, index) =>
          from(project(value, index)).pipe(
            finalize(() => {
              held.delete(letGo);
              letGo();
            }),
          ),
        ),
        finalize(() => {
          for (const letGo of held) letGo();
        }),
      );
    });
}
