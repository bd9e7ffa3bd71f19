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
 * As concatMap; and what it has not finished is not consumed, so that a slow consumer slows the process, and not only
 * itself.
 *
 *     exec(flux, ["zcat", "log.gz"]).pipe(stdout(), consume((bytes) => file.write(bytes)));
 *
 * An observer without it has consumed what it was given when its `next` returns. It belongs behind `stdout`, `text`, `lines` and
 * other operators that emit at once: of what one emits later, such as `delay` or `bufferTime`, nobody knows where it came from.
 *
 * @param project makes of a value what it is consumed by: a promise, an Observable, an iterable
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
