import { type FluxError, messageOf } from "./errors.js";
import { encodeIdset } from "./protocol/idset.js";

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
 * (EHOSTUNREACH)".
 */
export class RankError extends Error {
  /** "RankError". */
  override readonly name = "RankError";
  /** One for each rank that failed, sorted by rank. */
  readonly errors: readonly FluxError[];
  /** The ranks that failed, as an RFC 22 idset, such as "0-3,7". */
  readonly ranks: string;

  /** @param errors one for each rank that failed, in any order */
  constructor(errors: readonly FluxError[]) {
    const sorted = [...errors].sort((a, b) => rankOf(a) - rankOf(b));
    super(
      alike(sorted, (error) => messageOf(error, ""))
        .map(([error, ranks]) => messageOf(error, ` on ${ranks}`))
        .join("; "),
    );
    this.errors = sorted;
    this.ranks = encodeIdset(sorted.map(rankOf));
  }
}

/** Groups what has the same words. @returns the first of each group with all its ranks: "rank 3", "ranks 0-2,7" */
export function alike<T extends { readonly rank?: number | undefined }>(
  values: readonly T[],
  words: (value: T) => string,
): [first: T, ranks: string][] {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(words(value), [...(groups.get(words(value)) ?? []), value]);
  return [...groups.values()].map((group) => {
    const ranks = encodeIdset(group.map(rankOf).sort((a, b) => a - b));
    return [group[0] as T, `rank${group.length > 1 ? "s" : ""} ${ranks}`];
  });
}

function rankOf({ rank = 0 }: { readonly rank?: number | undefined }): number {
  return rank;
}
