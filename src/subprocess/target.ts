import { decodeIdset } from "../protocol/idset.js";
import { rankNodeid } from "../request.js";

/** Broker ranks: one rank; "any", the broker that the proxy is connected to; "all"; or an RFC 22 idset, such as "0-3,7". */
export type Target = number | "any" | "all" | (string & {});

/** The nodeid of a request to a target. @throws TypeError if `target` is not valid */
export function targetNodeid(target: Target): string {
  if (typeof target === "number") return rankNodeid(target);
  if (target !== "any" && target !== "all" && decodeIdset(target).length === 0) {
    throw new TypeError("nodeid is an empty idset");
  }
  return target;
}
