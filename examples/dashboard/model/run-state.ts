/** The state of a run, for the view. */
import type { Outcome } from "flux-subprocess";

export type Kind = "exec" | "attach" | "wait";

/** One rank of a run. */
export interface RankState {
  readonly rank: number;
  readonly phase: "starting" | "running" | "ended" | "failed";
  readonly pid?: number;
  readonly outcome?: Outcome;
  /** While its broker does not answer. */
  readonly unresponsive?: boolean;
}

/** True if it may run on a rank whose broker does not answer. */
export function isUnresponsive({ phase, unresponsive = false }: RankState): boolean {
  return unresponsive && (phase === "starting" || phase === "running");
}

export interface RunState {
  readonly ranks: ReadonlyMap<number, RankState>;
  readonly over: boolean;
  /** While true, no output is consumed, and a process that writes too much is stopped on the cluster. */
  readonly paused: boolean;
  readonly input: "none" | "open" | "ended";
  /** Characters of input that wait until the process reads. */
  readonly unsent: number;
}
