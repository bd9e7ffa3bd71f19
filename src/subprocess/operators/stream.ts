import { filter, map, type OperatorFunction } from "rxjs";
import { gapError, type ProcessEvent } from "../events.js";

type Output = Extract<ProcessEvent, { type: "output" | "gap" }>;

/**
 * The bytes of standard output, of all ranks in the order of arrival. Errors as {@link stream} does.
 *
 * @example
 * ```ts
 * exec(flux, ["echo", "hello"]).pipe(stdout(), lines()).subscribe((line) => console.log(line)); // hello
 * ```
 */
export function stdout(): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stdout");
}

/**
 * The bytes of standard error, of all ranks in the order of arrival. Errors as {@link stream} does.
 *
 * @example
 * ```ts
 * exec(flux, ["sh", "-c", "echo oops >&2"]).pipe(stderr(), lines()).subscribe((line) => console.log(line)); // oops
 * ```
 */
export function stderr(): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stderr");
}

/**
 * The bytes of one output stream. Errors with ENOBUFS at a gap; to skip gaps, put `filter(({ type }) => type !== "gap")` before it.
 *
 * @param name "stdout", "stderr" or the name of an auxiliary channel
 *
 * @example
 * ```ts
 * exec(flux, ["sh", "-c", "echo hello >&$LOG"], { channels: ["LOG"] })
 *   .pipe(stream("LOG"), lines())
 *   .subscribe((line) => console.log(line)); // hello
 * ```
 */
export function stream(name: string): OperatorFunction<ProcessEvent, Uint8Array> {
  return (events) =>
    events.pipe(
      filter(
        (event): event is Output =>
          (event.type === "output" || event.type === "gap") && event.stream === name,
      ),
      map((event) => {
        if (event.type === "gap") throw gapError(event);
        return event.data;
      }),
    );
}
