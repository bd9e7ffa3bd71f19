import type { FluxError } from "./errors.js";
import { encodeIdset } from "./protocol/idset.js";

/**
 * Ranks on which a request failed. Its counterpart is `AggregateError`.
 *
 * The message has each failure once, with the ranks (an RFC 22 idset) that had it.
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
    const ranks = new Map<string, number[]>();
    for (const error of sorted)
      ranks.set(error.message, [...(ranks.get(error.message) ?? []), rankOf(error)]);
    super([...ranks].map(([message, these]) => `rank ${encodeIdset(these)}: ${message}`).join("; "));
    this.errors = sorted;
    this.ranks = encodeIdset(sorted.map(rankOf));
  }
}

function rankOf({ rank = 0 }: FluxError): number {
  return rank;
}
