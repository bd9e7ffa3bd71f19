import { type MonoTypeOperatorFunction, Observable } from "rxjs";
import { alike, type FailedRank } from "../../rank-error.js";
import type { ProcessEvent } from "../events.js";
import { describeOutcome, type Outcome, succeeded } from "../outcome.js";
import type { CompletedProcess } from "./collect.js";

/** A rank whose process did not exit with 0, or did not start. It has the output too if {@link collect} came before. */
export interface Failure extends Partial<Omit<CompletedProcess<unknown>, "error">> {
  /** The broker rank. */
  readonly rank: number;
  /** How the process ended. */
  readonly outcome: Outcome;
}

/**
 * Processes that did not exit with 0. The message has each end once, with its ranks: "ranks 0-2: process exited with 2".
 * {@link orThrow} has an example.
 */
export class ProcessError extends Error {
  /** "ProcessError". */
  override readonly name = "ProcessError";
  /** One for each rank that failed. */
  readonly failures: readonly Failure[];

  /** @param failures one for each rank that failed, in any order */
  constructor(failures: readonly Failure[]) {
    const sorted = [...failures].sort((a, b) => a.rank - b.rank);
    super(
      alike(sorted, wordsOf)
        .map(([failure, ranks]) => `${ranks}: ${wordsOf(failure)}`)
        .join("; "),
    );
    this.failures = sorted;
  }
}

/**
 * Errors with a {@link ProcessError} if a process did not exit with 0, after all values. Takes events, or the values of `collect`. Python's
 * counterpart is `check=True` of `subprocess.run`.
 *
 * @example
 * ```ts
 * exec(flux, ["sh", "-c", "echo hello; exit 2"])
 *   .pipe(orThrow(), stdout(), lines())
 *   .subscribe({
 *     next: (line) => console.log(line), // hello
 *     error: (error: ProcessError) => console.log(error.message), // rank 0: process exited with 2
 *   });
 * ```
 */
export function orThrow<
  T extends ProcessEvent | CompletedProcess<unknown> | FailedRank,
>(): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      // By rank, since a lost rank has two events: `error` and `finished`.
      const failures = new Map<number, Failure>();
      return source.subscribe({
        next: (value: T) => {
          const failure = failureOf(value);
          if (failure) failures.set(failure.rank, failure);
          subscriber.next(value);
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          if (failures.size > 0) subscriber.error(new ProcessError([...failures.values()]));
          else subscriber.complete();
        },
      });
    });
}

function wordsOf({ outcome }: Failure): string {
  // Without the rank, which the cause's message has too.
  if (outcome.kind === "unknown") return `${outcome.cause.reason} (${outcome.cause.code})`;
  return `process ${describeOutcome(outcome)}`;
}

function failureOf(value: ProcessEvent | CompletedProcess<unknown> | FailedRank): Failure | undefined {
  if (!("type" in value)) {
    const { rank, error } = value;
    if (error) return { rank, outcome: { kind: "unknown", cause: error } };
    return succeeded(value.outcome) ? undefined : value;
  }
  switch (value.type) {
    case "finished":
      return succeeded(value.outcome) ? undefined : { rank: value.rank, outcome: value.outcome };
    case "error":
      return { rank: value.rank, outcome: { kind: "unknown", cause: value.error } };
    default:
      return undefined;
  }
}
