import { demand, rank } from "../protocol/checks.js";
import { isHostlist } from "../protocol/hosts.js";
import { decodeIdset } from "../protocol/idset.js";
import { rankNodeid } from "../request.js";

/**
 * Broker ranks: one rank; some ranks, in any order; "any", the broker that the proxy is connected to; "all"; an RFC 22 idset, such as
 * "0-3,7"; or an RFC 29 hostlist, such as "node[1-3],login". Of a host with several brokers, all ranks are meant. {@link hosts} gives the
 * names. A host that does not exist, or that the token does not allow, is an error: EHOSTUNREACH, and nothing is sent.
 */
export type Target = number | readonly number[] | "any" | "all" | (string & {});

/**
 * The result for a nodeid: `One` for a number, "any" or none; `Each`, that of several ranks, for any other; either for a nodeid of which
 * the compiler does not know which one it is.
 */
export type ByTarget<N, One, Each> = N extends number | "any" | undefined
  ? One
  : string extends N
    ? One | Each
    : Each;

/** True for a nodeid that is one rank by its form: `"3"` and `[3]` are not, so that the type of a result is known. */
export function isOneRank(nodeid: Target | undefined): nodeid is number | "any" | undefined {
  return nodeid === undefined || nodeid === "any" || typeof nodeid === "number";
}

/** True for several ranks; false for hosts, whose ranks the proxy knows. @throws TypeError if `target` is not valid */
export function isSeveral(target: Target): boolean {
  const nodeid = targetNodeid(target);
  return nodeid === "all" || !(nodeid === "any" || isHostlist(nodeid) || decodeIdset(nodeid).length === 1);
}

/** The nodeid of a request to a target. @throws TypeError if `target` is not valid */
export function targetNodeid(target: Target): string {
  if (typeof target === "number") return rankNodeid(target);
  if (typeof target !== "string") target = idsetOf(target);
  if (target !== "any" && target !== "all" && !isHostlist(target) && decodeIdset(target).length === 0) {
    throw new TypeError("nodeid is an empty idset");
  }
  return target;
}

function idsetOf(ranks: readonly number[]): string {
  if (!Array.isArray(ranks)) throw new TypeError("nodeid is not a rank, an array of ranks or a string");
  for (const each of ranks) demand("a rank in nodeid", each, rank);
  return [...new Set<number>(ranks)].sort((a, b) => a - b).join();
}
