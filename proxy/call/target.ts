/** The ranks that a request names: those that exist, and those that do not. PROTOCOL.md, "Requests". */
import { encodeIdset, expand, type IdRange, idsetRanges } from "../../src/protocol/idset.js";
import { type Nodeid, ranksOf } from "../../src/protocol/messages.js";

/** The ranks that do not exist are never one by one in memory: a request of ten bytes may name 65,536 of them. */
export interface Target {
  /** Those that exist, in ascending order. */
  readonly ranks: readonly number[];
  /** Those that do not, which come after the others. */
  readonly missing: readonly IdRange[];
  /** How many there are of both. */
  readonly size: number;
}

/** @throws TypeError if the ranks are more than an idset may have */
export function targetOf(nodeid: Nodeid, place: { readonly rank: number; readonly size: number }): Target {
  if (nodeid === "any" || nodeid === "all") {
    const ranks = ranksOf(nodeid, place.rank, place.size);
    return { ranks, missing: [], size: ranks.length };
  }
  const present: IdRange[] = [];
  const missing: IdRange[] = [];
  for (const [first, last] of idsetRanges(nodeid)) {
    if (first < place.size) present.push([first, Math.min(last, place.size - 1)]);
    if (last >= place.size) missing.push([Math.max(first, place.size), last]);
  }
  const ranks = expand(present);
  return { ranks, missing, size: ranks.length + sizeOf(missing) };
}

/** Every rank, one by one. */
export function allRanks({ ranks, missing }: Target): readonly number[] {
  return missing.length === 0 ? ranks : [...ranks, ...expand(missing)];
}

/** The idset of all of them. */
export function idsetOf({ ranks, missing }: Pick<Target, "ranks" | "missing">): string {
  const parts = [encodeIdset(ranks), encodeRanges(missing)];
  return parts.filter((part) => part !== "").join(",");
}

function encodeRanges(ranges: readonly IdRange[]): string {
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function sizeOf(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
