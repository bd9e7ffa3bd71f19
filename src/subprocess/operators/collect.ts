import { Observable } from "rxjs";
import { FluxError } from "../../errors.js";
import type { FailedRank } from "../../rank-error.js";
import { concat } from "../bytes.js";
import { type FailedEvent, gapError, type ProcessEvent } from "../events.js";
import type { Outcome } from "../outcome.js";

/** The whole output and the outcome of one process. Python's counterpart is `subprocess.CompletedProcess`. */
export interface CompletedProcess<Output = Uint8Array<ArrayBuffer>> {
  /** The broker rank. */
  readonly rank: number;
  /** The process id. */
  readonly pid: number;
  /** How the process ended. */
  readonly outcome: Outcome;
  /** Standard output. */
  readonly stdout: Output;
  /** Standard error. */
  readonly stderr: Output;
  /** Absent: only a {@link FailedRank} has an error. */
  readonly error?: undefined;
}

/** Options of {@link collect}. */
export interface CollectOptions {
  /**
   * Decode the output as UTF-8.
   * @default false: output is bytes
   */
  text?: boolean | undefined;
}

/** The operator {@link collect}. The events of one rank have no failed rank: a failure is the error of the Observable. */
export type Collect<Output> = <T extends ProcessEvent>(
  events: Observable<T>,
) => Observable<CompletedProcess<Output> | (FailedEvent extends T ? FailedRank : never)>;

interface Gathered {
  pid: number;
  outcome: Outcome | undefined;
  stdout: Uint8Array[];
  stderr: Uint8Array[];
}

/**
 * Gathers the events of a process into one value for each rank, sorted by rank, when all ranks are complete: a
 * {@link CompletedProcess}, or a {@link FailedRank} where the process did not start. If the source errors or output is missing, it first
 * emits what it has, with outcome "unknown" for a process that had not finished.
 *
 * @param options the form of the output
 *
 * @example
 * ```ts
 * exec(flux, ["echo", "hello"], { nodeid: "0,9" }).pipe(collect({ text: true })).subscribe((each) => {
 *   // The compiler lets nobody read the output of a failed rank.
 *   console.log(each.rank, each.error ? each.error.code : each.stdout.trim()); // 0 hello, 9 EHOSTUNREACH
 * });
 * ```
 */
export function collect(options: { text: true }): Collect<string>;
export function collect(options?: { text?: false | undefined }): Collect<Uint8Array<ArrayBuffer>>;
export function collect(options?: CollectOptions): Collect<string | Uint8Array<ArrayBuffer>>;
export function collect({ text = false }: CollectOptions = {}): Collect<never> {
  const output = (pieces: readonly Uint8Array[]) => {
    const bytes = concat(pieces);
    return (text ? new TextDecoder().decode(bytes) : bytes) as never;
  };
  return (events) =>
    new Observable<CompletedProcess<never> | FailedRank>((subscriber) => {
      const ranks = new Map<number, Gathered | FluxError>();
      const emit = (error?: unknown) => {
        for (const [rank, gathered] of [...ranks].sort(([a], [b]) => a - b)) {
          if (gathered instanceof FluxError) {
            subscriber.next({ rank, error: gathered });
            continue;
          }
          const { pid, outcome, stdout, stderr } = gathered;
          subscriber.next({
            rank,
            pid,
            outcome: outcome ?? { kind: "unknown", cause: asFluxError(error) },
            stdout: output(stdout),
            stderr: output(stderr),
          });
        }
      };
      const fail = (error: unknown) => {
        emit(error);
        // A failure that was emitted is a value. The source errors with the first if no rank has a known outcome.
        if ([...ranks.values()].includes(error as FluxError)) subscriber.complete();
        else subscriber.error(error);
      };
      return events.subscribe({
        next: (event) => {
          const { type, rank } = event;
          const process = ranks.get(rank);
          if (type === "started" || type === "attached") {
            ranks.set(rank, { pid: event.pid, outcome: undefined, stdout: [], stderr: [] });
          } else if (process === undefined) {
            if (type === "error") ranks.set(rank, event.error);
          } else if (!(process instanceof FluxError)) {
            if (type === "finished") process.outcome = event.outcome;
            else if (type === "gap") fail(gapError(event));
            else if (type === "output" && (event.stream === "stdout" || event.stream === "stderr")) {
              process[event.stream].push(event.data);
            }
          }
        },
        error: fail,
        complete: () => {
          emit();
          subscriber.complete();
        },
      });
    }) as Observable<never>;
}

function asFluxError(error: unknown): FluxError {
  if (error instanceof FluxError) return error;
  return new FluxError("ECANCELED", "the stream ended before the process did", { cause: error });
}
