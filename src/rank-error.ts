import type { FluxError } from "./errors.js";
import { encodeIdset } from "./protocol/idset.js";

/** The most hosts that a message names of one failure. */
const MAX_HOSTS = 8;

/**
 * Ranks on which a request failed. Its counterpart is `AggregateError`.
 *
 * The message has each failure once, with the ranks (an RFC 22 idset) that had it, and their hosts if the request named hosts.
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
    const ranks = new Map<string, number[]>();
    for (const error of sorted) {
      const these = ranks.get(error.message);
      if (these) these.push(rankOf(error));
      else ranks.set(error.message, [rankOf(error)]);
    }
    // Brokers on one host have its name in common, which then says nothing.
    const names = new Map(sorted.map((error) => [rankOf(error), error.host]));
    const told = sorted.length === 1 || new Set(names.values()).size > 1;
    const where = (these: number[]) => {
      const hosts =
        told && these.length <= MAX_HOSTS && these.flatMap((rank) => names.get(rank) ?? []).join();
      return `rank ${encodeIdset(these)}${hosts ? ` (${hosts})` : ""}`;
    };
    super([...ranks].map(([message, these]) => `${where(these)}: ${message}`).join("; "));
    this.errors = sorted;
    this.results = results;
    this.ranks = encodeIdset(sorted.map(rankOf));
  }
}

function rankOf({ rank = 0 }: FluxError): number {
  return rank;
}
