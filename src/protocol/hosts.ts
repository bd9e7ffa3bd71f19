/** The request by which a client asks for ranks by the names of their hosts. PROTOCOL.md, "Hosts". */

/** Its topic. The proxy answers it. */
export const HOSTS_TOPIC = "flux-subprocess.hosts";

/** The payload of its answer. */
export interface Hosts {
  /** The ranks, an RFC 22 idset; "" for none. */
  ranks: string;
  /** The name of the host of each of these ranks. */
  hosts: readonly string[];
}

/** True for a nodeid that names hosts: it is neither "any" nor "all", and has characters that no idset has. */
export function isHostlist(nodeid: string): boolean {
  return nodeid !== "any" && nodeid !== "all" && /[^\d,\-[\] ]/.test(nodeid);
}
