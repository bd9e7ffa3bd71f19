import { Observable, type OperatorFunction } from "rxjs";
import { FluxError } from "../../errors.js";
import { concat } from "../bytes.js";
import { gapError, type ProcessEvent } from "../events.js";
import type { Outcome } from "../outcome.js";

/** The whole output and the outcome of one process. Python's counterpart is `subprocess.CompletedProcess`. */
export interface CompletedProcess {
  /** The broker rank. */
  readonly rank: number;
  /** The process id. */
  readonly pid: number;
  /** How the process ended. */
  readonly outcome: Outcome;
  /** Standard output. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  /** Standard error. */
  readonly stderr: Uint8Array<ArrayBuffer>;
}

interface Gathered {
  pid: number;
  outcome: Outcome | undefined;
  stdout: Uint8Array[];
  stderr: Uint8Array[];
}

/**
 * Gathers the events of a process into one value for each rank where it started, sorted by rank, when all ranks are complete. If the
 * source errors or output is missing, it first emits what it has, with outcome "unknown" for a process that had not finished.
 *
 * @example
 * ```ts
 * const { outcome, stdout } = await firstValueFrom(exec(flux, ["echo", "hello"]).pipe(collect()));
 * console.log(describeOutcome(outcome), new TextDecoder().decode(stdout).trim()); // exited with 0 hello
 * ```
 */
export function collect(): OperatorFunction<ProcessEvent, CompletedProcess> {
  return (events) =>
    new Observable((subscriber) => {
      const ranks = new Map<number, Gathered>();
      const emit = (error?: unknown) => {
        for (const [rank, { pid, outcome, stdout, stderr }] of [...ranks].sort(([a], [b]) => a - b)) {
          subscriber.next({
            rank,
            pid,
            outcome: outcome ?? { kind: "unknown", cause: asFluxError(error) },
            stdout: concat(stdout),
            stderr: concat(stderr),
          });
        }
      };
      const fail = (error: unknown) => {
        emit(error);
        subscriber.error(error);
      };
      return events.subscribe({
        next: (event) => {
          if (event.type === "started" || event.type === "attached") {
            ranks.set(event.rank, { pid: event.pid, outcome: undefined, stdout: [], stderr: [] });
            return;
          }
          const process = ranks.get(event.rank);
          if (process === undefined) return;
          if (event.type === "finished") process.outcome = event.outcome;
          else if (event.type === "gap") fail(gapError(event));
          else if (event.type === "output" && (event.stream === "stdout" || event.stream === "stderr")) {
            process[event.stream].push(event.data);
          }
        },
        error: fail,
        complete: () => {
          emit();
          subscriber.complete();
        },
      });
    });
}

function asFluxError(error: unknown): FluxError {
  if (error instanceof FluxError) return error;
  return new FluxError("ECANCELED", "the stream ended before the process did", { cause: error });
}
