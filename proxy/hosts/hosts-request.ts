/** The answer to a request for ranks by the names of their hosts. PROTOCOL.md, "Hosts". */
import { FluxError } from "../../src/errors.js";
import { HOSTS_TOPIC, type Hosts } from "../../src/protocol/hosts.js";
import type { Request } from "../../src/protocol/messages.js";
import type { AuditSession } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import { visibleHosts } from "../policy/hosts.js";
import type { HostNames } from "./host-names.js";

/** True if the proxy itself answers a request, by the names of hosts. */
export function isHostsRequest({ topic }: Request): boolean {
  return topic === HOSTS_TOPIC;
}

/** Answers a request. @returns the payload, or the error that refuses it */
export function answerHosts(
  names: HostNames,
  { permissions }: Identity,
  { nodeid, streaming, payload }: Request,
  audit: AuditSession | undefined,
): Hosts | FluxError {
  const visible = visibleHosts(permissions);
  const record = (end: { ranks: string; allowed: boolean; reason?: string; errno: number }) =>
    audit?.operation({ ...NOTHING, operation: "hosts", service: HOSTS_TOPIC, ...end });
  try {
    if (typeof visible === "string") throw new FluxError("EPERM", visible);
    const { hosts } = payload;
    if (nodeid !== "any" || streaming) {
      throw new FluxError("EINVAL", `${HOSTS_TOPIC} is a request with one answer to nodeid "any"`);
    }
    if (hosts !== undefined && typeof hosts !== "string")
      throw new FluxError("EINVAL", "hosts is not a string");
    const found = names.find(hosts, visible);
    record({ ranks: found.ranks, allowed: true, errno: 0 });
    return found;
  } catch (error) {
    if (!(error instanceof FluxError)) throw error;
    const { errno, message } = error;
    record({ ranks: "", allowed: typeof visible !== "string", reason: message, errno });
    return error;
  }
}

const NOTHING = {
  topic: undefined,
  prefix: undefined,
  pid: undefined,
  label: undefined,
  argv: undefined,
  cwd: undefined,
};
