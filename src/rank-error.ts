import { type FluxError, messageOf } from "./errors.js";
import { encodeIdset } from "./protocol/idset.js";

/** The most hosts that a message names of one failure. */
const MAX_HOSTS = 8;
/** A rank on which a request failed, in the place of its value. */
export interface FailedRank {
  /** The broker rank. */
  readonly rank: number;
  /** The reason. */
  readonly error: FluxError;
}

/**
 * Ranks on which a request failed. Its counterpart is `AggregateError`.
 *
 * The message has each failure once, with the ranks (an RFC 22 idset) that had it: "exec hostname on ranks 9-10: no such rank
 * (EHOSTUNREACH)". If the request named hosts, it has their names too.
 *
 * @typeParam T the value of a rank that succeeded
 */
export class RankError<T = unknown> extends Error {
  /** "RankError". */
  override readonly name = "RankError";
  /** One for each rank that failed, sorted by rank. */
  readonly errors: readonly FluxError[];
  /** The ranks that failed, as an RFC 22 idset, such as "0-3,7". */
  readonly ranks: string;
  /** The values of the ranks that succeeded, sorted by rank; empty after an operator, which has emitted them. */
  readonly results: readonly T[];

  /**
   * @param errors one for each rank that failed, in any order
   * @param results the values of the ranks that succeeded, sorted by rank
   */
  constructor(errors: readonly FluxError[], results: readonly T[] = []) {
    const sorted = [...errors].sort((a, b) => rankOf(a) - rankOf(b));
    super(
      alike(sorted, (error) => messageOf(error, ""))
        .map(([error, ranks]) => messageOf(error, ` on ${ranks}`))
        .join("; "),
    );
    this.errors = sorted;
    this.results = results;
    this.ranks = encodeIdset(sorted.map(rankOf));
  }
}

/** Groups what has the same words. @returns the first of each group with all its ranks: "rank 3", "ranks 0-2,7" */
export function alike<T extends Place>(
  values: readonly T[],
  words: (value: T) => string,
): [first: T, ranks: string][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(words(value));
    if (group) group.push(value);
    else groups.set(words(value), [value]);
  }
  return [...groups.values()].map((group) => {
    const ranks = encodeIdset(group.map(rankOf).sort((a, b) => a - b));
    const hosts = group.length <= MAX_HOSTS ? group.flatMap(({ host }) => host ?? []) : [];
    const names = hosts.length > 0 ? ` (${hosts.join()})` : "";
    return [group[0] as T, `rank${group.length > 1 ? "s" : ""} ${ranks}${names}`];
  });
}

interface Place {
  readonly rank?: number | undefined;
  readonly host?: string | undefined;
}

function rankOf({ rank = 0 }: Place): number {
  return rank;
}
