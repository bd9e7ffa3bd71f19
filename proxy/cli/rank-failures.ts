/** The ranks of a request that failed, on stderr: a line for each failure, with its ranks as an idset. */
import type { FluxError } from "../../src/index.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import { explain, say } from "./errors.js";
import { FAILED } from "./exit-code.js";

/** The most hosts that a line names. */
const MAX_HOSTS = 8;

/** Facts for the lines of failures. */
export interface FailureContext {
  /** The names of hosts, if they tell ranks apart. */
  hosts?: ReadonlyMap<number, string> | undefined;
  /** The name of the process that failed. */
  subject?: string;
  /** The exit code of an error. @default 1 */
  codeOf?: (error: FluxError) => number;
}

/**
 * Reports the ranks that failed: "Error: rank 2-3 (node2,node3): label nap does not belong to any subprocess".
 * @returns the greatest exit code: 0 without failures
 */
export function reportFailures(
  command: string,
  errors: readonly FluxError[],
  { hosts, subject, codeOf = () => FAILED }: FailureContext = {},
): number {
  const ranks = new Map<string, number[]>();
  for (const error of errors) {
    const reason = explain(error);
    const these = ranks.get(reason) ?? [];
    ranks.set(reason, these);
    these.push(error.rank as number);
  }
  for (const [reason, these] of ranks) {
    const what = subject === undefined ? "" : `${subject}: `;
    say(command, `Error: rank ${encodeIdset(these)}${hostsOf(these, hosts)}: ${what}${reason}`);
  }
  return errors.reduce((code, error) => Math.max(code, codeOf(error)), 0);
}

/** " (node2,node3)", or "" if the names are not known. */
function hostsOf(ranks: readonly number[], hosts: ReadonlyMap<number, string> | undefined): string {
  const names = ranks.slice(0, MAX_HOSTS).flatMap((rank) => hosts?.get(rank) ?? []);
  return names.length === 0 ? "" : ` (${names.join()}${ranks.length > MAX_HOSTS ? ",..." : ""})`;
}
