/** The ranks that a request names: those that exist, and those that do not. PROTOCOL.md, "Requests". */
import { encodeIdset, expand, type IdRange, idsetRanges } from "../../src/protocol/idset.js";
import { type Nodeid, ranksOf } from "../../src/protocol/messages.js";

/** The ranks of a request. Those that do not exist are ranges: a request of ten bytes may name 65,536 of them. */
export interface Target {
  /** The ranks that exist, in ascending order. */
  readonly ranks: readonly number[];
  /** The ranks that do not exist. They come after the others. */
  readonly missing: readonly IdRange[];
  /** The number of both. */
  readonly size: number;
}

/** The ranks that a nodeid names, on the instance of a broker. @throws TypeError if they are more than an idset may have */
export function targetOf(nodeid: Nodeid, broker: { readonly rank: number; readonly size: number }): Target {
  if (nodeid === "any" || nodeid === "all") {
    const ranks = ranksOf(nodeid, broker.rank, broker.size);
    return { ranks, missing: [], size: ranks.length };
  }
  const present: IdRange[] = [];
  const missing: IdRange[] = [];
  for (const [first, last] of idsetRanges(nodeid)) {
    if (first < broker.size) present.push([first, Math.min(last, broker.size - 1)]);
    if (last >= broker.size) missing.push([Math.max(first, broker.size), last]);
  }
  const ranks = expand(present);
  return { ranks, missing, size: ranks.length + sizeOf(missing) };
}

/** Some of the ranks of a target. */
export type TargetRanks = Pick<Target, "ranks" | "missing">;

/** The idset of ranks. */
export function idsetOf({ ranks, missing }: TargetRanks): string {
  const parts = [encodeIdset(ranks), encodeRanges(missing)];
  return parts.filter((part) => part !== "").join(",");
}

function encodeRanges(ranges: readonly IdRange[]): string {
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function sizeOf(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
