import { type GroupedObservable, groupBy, type OperatorFunction } from "rxjs";
import type { ProcessEvent } from "../events.js";

/**
 * One Observable for each rank, with the rank as its `key`: the events of that rank. A group has no event before it is subscribed to, so
 * subscribe at once, as `mergeMap` does.
 *
 * @example
 * ```ts
 * exec(flux, ["echo", "hello"], { nodeid: "0-1" })
 *   .pipe(
 *     byRank(),
 *     mergeMap((events) => events.pipe(stdout(), lines(), map((line) => `${events.key}: ${line}`))),
 *     toArray(),
 *   )
 *   .subscribe((all) => console.log(all.sort().join())); // 0: hello,1: hello
 * ```
 */
export function byRank(): OperatorFunction<ProcessEvent, GroupedObservable<number, ProcessEvent>> {
  return groupBy(({ rank }) => rank);
}
