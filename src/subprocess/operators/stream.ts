import { Observable, type OperatorFunction } from "rxjs";
import { gapError, type ProcessEvent } from "../events.js";
import { type RankErrorOption, withRankError } from "./rank-failures.js";

/**
 * The bytes of standard output, of one rank. Errors as {@link stream} does.
 *
 * @param options the treatment of failed ranks
 *
 * @example
 * ```ts
 * exec(flux, ["echo", "hello"]).pipe(stdout(), lines()).subscribe((line) => console.log(line)); // hello
 * ```
 */
export function stdout(options?: RankErrorOption): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stdout", options);
}

/**
 * The bytes of standard error, of one rank. Errors as {@link stream} does.
 *
 * @param options the treatment of failed ranks
 *
 * @example
 * ```ts
 * exec(flux, ["sh", "-c", "echo oops >&2"]).pipe(stderr(), lines()).subscribe((line) => console.log(line)); // oops
 * ```
 */
export function stderr(options?: RankErrorOption): OperatorFunction<ProcessEvent, Uint8Array> {
  return stream("stderr", options);
}

/**
 * The bytes of one output stream of one rank.
 *
 * Errors with a TypeError when a second rank writes, since their bytes would mix: {@link lines}, {@link text} and {@link byRank} take
 * the events of several ranks. Errors with ENOBUFS at a gap; to skip gaps, put `filter(({ type }) => type !== "gap")` before it. Errors
 * with a {@link RankError} at the end if a rank has failed.
 *
 * @param name "stdout", "stderr" or the name of an auxiliary channel
 * @param options the treatment of failed ranks
 *
 * @example
 * ```ts
 * exec(flux, ["sh", "-c", "echo hello >&$LOG"], { channels: ["LOG"] })
 *   .pipe(stream("LOG"), lines())
 *   .subscribe((line) => console.log(line)); // hello
 * ```
 */
export function stream(
  name: string,
  options: RankErrorOption = {},
): OperatorFunction<ProcessEvent, Uint8Array> {
  return (events) =>
    new Observable((subscriber) => {
      let first: number | undefined;
      const next = (event: ProcessEvent) => {
        if ((event.type !== "output" && event.type !== "gap") || event.stream !== name) return;
        first ??= event.rank;
        if (event.type === "gap") subscriber.error(gapError(event));
        else if (event.rank === first) subscriber.next(event.data);
        else subscriber.error(mixed(name, first, event.rank));
      };
      return events.subscribe(withRankError(options, subscriber, next));
    });
}

function mixed(name: string, first: number, second: number): TypeError {
  return new TypeError(
    `ranks ${first} and ${second} both write to ${name}, and their bytes would mix: ` +
      `use lines() or text() on the events, which give { rank, stream, line } or { rank, stream, text }, or byRank()`,
  );
}
