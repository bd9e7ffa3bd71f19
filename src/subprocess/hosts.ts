import type { Flux } from "../flux.js";
import { abortSignal, name, timeLimit } from "../protocol/checks.js";
import { HOSTS_TOPIC } from "../protocol/hosts.js";
import { checkOptions, type OptionChecks } from "../protocol/options.js";
import { type RpcOptions, request } from "../request.js";
import { Rpc } from "../rpc.js";
import { hostNames } from "../session/host-names.js";

/** Options of {@link hosts}. */
export interface HostsOptions extends Omit<RpcOptions, "nodeid" | "streaming"> {
  /**
   * The hosts, an RFC 29 hostlist such as "node[1-3]".
   * @default all hosts that the token allows
   */
  hosts?: string | undefined;
}

const HOSTS_OPTIONS: OptionChecks<HostsOptions> = {
  hosts: name,
  signal: abortSignal,
  answerTimeout: timeLimit,
};

/**
 * The names of the hosts of an instance, by rank. Python's counterpart is the broker attribute "hostlist". The token must allow `hosts`.
 *
 * The verbs take names of hosts themselves, in `nodeid`; several brokers may be on one host, and the name then stands for all their ranks.
 *
 * @param options the hosts
 * @returns errors with a FluxError: EHOSTUNREACH if there is no such host, EINVAL for text that is not a hostlist, EPERM if the token does
 *   not allow it, ENODATA if the broker does not know its hosts
 *
 * @example
 * ```ts
 * const names = await hosts(flux);
 * console.log([...names.keys()].join()); // 0,1,2,3
 * ```
 */
export function hosts(flux: Flux, options: HostsOptions = {}): Rpc<ReadonlyMap<number, string>> {
  checkOptions("hosts", options, HOSTS_OPTIONS);
  const { hosts, ...others } = options;
  const question = {
    ...others,
    nodeid: "any" as const,
    topic: HOSTS_TOPIC,
    payload: { hosts },
    sign: false,
  };
  return new Rpc(request(flux.session, question, hostNames));
}
