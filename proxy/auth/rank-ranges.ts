/** Sets of ranks as ranges: a few bytes may name 65,536 ranks, and each decision is to cost little. */
import type { IdRange } from "../../src/protocol/idset.js";

/** The ranks of a detail. */
export class RankRanges {
  /** Ascending. No two of them touch. */
  readonly ranges: readonly IdRange[];

  /** @param ranges ascending and without overlaps */
  constructor(ranges: readonly IdRange[]) {
    this.ranges = joined(ranges);
  }

  /** True if a rank is in the set. */
  has(rank: number): boolean {
    return this.covers([rank, rank]);
  }

  /** True if every rank of a range is in the set. */
  covers([first, last]: IdRange): boolean {
    let [low, high] = [0, this.ranges.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const [from, to] = this.ranges[middle] as IdRange;
      if (to < first) low = middle + 1;
      else if (from > first) high = middle - 1;
      else return last <= to;
    }
    return false;
  }
}

/** Makes one range of those that touch. @param ranges ascending and without overlaps */
export function joined(ranges: readonly IdRange[]): IdRange[] {
  const result: [number, number][] = [];
  for (const [first, last] of ranges) {
    const before = result.at(-1);
    if (before !== undefined && before[1] + 1 === first) before[1] = last;
    else result.push([first, last]);
  }
  return result;
}

/** The parts of `ranges` such that each of `sets` has all ranks of a part or none. @param ranges ascending and without overlaps */
export function partsOf(ranges: readonly IdRange[], sets: readonly RankRanges[]): IdRange[] {
  const edges = sets.flatMap((set) => set.ranges.flatMap(([first, last]) => [first, last + 1]));
  const cuts = [...new Set(edges)].sort((a, b) => a - b);
  const parts: IdRange[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    let from = first;
    while (next < cuts.length && (cuts[next] as number) <= from) next++;
    for (; next < cuts.length && (cuts[next] as number) <= last; next++) {
      const cut = cuts[next] as number;
      parts.push([from, cut - 1]);
      from = cut;
    }
    parts.push([from, last]);
  }
  return parts;
}
