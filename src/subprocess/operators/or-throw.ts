import { type MonoTypeOperatorFunction, Observable } from "rxjs";
import type { ProcessEvent } from "../events.js";
import { describeOutcome, type Outcome, succeeded } from "../outcome.js";
import type { CompletedProcess } from "./collect.js";

/** A rank whose process did not exit with 0; with its output, where `collect` came before. */
export type Failure = { readonly rank: number; readonly outcome: Outcome } & Partial<CompletedProcess>;

/** Processes that did not exit with 0. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";
  /** One for each rank that failed. */
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super(
      failures.map(({ rank, outcome }) => `rank ${rank}: process ${describeOutcome(outcome)}`).join("; "),
    );
    this.failures = failures;
  }
}

/**
 * Makes an outcome other than exit code 0 an error: a {@link ProcessError}, after all values have passed.
 * Works on events and on what `collect` gives.
 *
 *     exec(flux, ["make"]).pipe(orThrow(), stdout())
 */
export function orThrow<T extends ProcessEvent | CompletedProcess>(): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      // By rank: one that is lost tells of it twice, in `error` and in `finished`.
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

function failureOf(value: ProcessEvent | CompletedProcess): Failure | undefined {
  if (!("type" in value)) return succeeded(value.outcome) ? undefined : value;
  switch (value.type) {
    case "finished":
      return succeeded(value.outcome) ? undefined : { rank: value.rank, outcome: value.outcome };
    case "error":
      return { rank: value.rank, outcome: { kind: "unknown", cause: value.error } };
    default:
      return undefined;
  }
}
