import { FluxError } from "../errors.js";
import { HOSTS_TOPIC, type Hosts } from "../protocol/hosts.js";
import { decodeIdset } from "../protocol/idset.js";

/** The name of each rank's host, by rank, from the proxy's answer. @throws FluxError EPROTO */
export function hostNames(payload: object): Map<number, string> {
  const { ranks, hosts } = payload as Hosts;
  try {
    const ids = decodeIdset(ranks);
    if (ids.length === hosts.length && hosts.every((host) => typeof host === "string")) {
      return new Map(ids.map((rank, i) => [rank, hosts[i] as string]));
    }
  } catch {}
  throw new FluxError("EPROTO", "the answer is not ranks and hosts", { topic: HOSTS_TOPIC });
}
