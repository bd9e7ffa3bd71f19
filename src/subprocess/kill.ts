import type { Flux } from "../flux.js";
import { SIGNUM, type SignalName, signalNumber } from "../protocol/signals.js";
import { RanksRpc } from "../ranks-rpc.js";
import { Rpc } from "../rpc.js";
import { type ProcessOptions, processFields, processTarget } from "./process-ref.js";
import { type RankOptions, serviceRanksRequest, serviceRequest } from "./service.js";
import { type ByTarget, isOneRank, type Target } from "./target.js";

/** Options of {@link kill}. @typeParam N the type of `nodeid` */
export type KillOptions<N extends Target | undefined = Target | undefined> = ProcessOptions &
  RankOptions<N> & {
    /**
     * A Linux signal, as a number or a name.
     * @default 15, SIGTERM
     */
    signum?: number | SignalName | undefined;
  };

/**
 * Sends a signal to a process and its process group (RFC 42 kill). Python's counterpart is `flux.subprocess.kill`.
 *
 * @param options the process and the signal: a {@link ProcessRef}, or a label on any ranks
 * @returns errors with a FluxError: ESRCH if no such process exists; on several ranks with a {@link RankError}
 * @throws TypeError if neither or both of pid and label are given, a pid has several ranks, or the signal is not valid
 *
 * @example
 * ```ts
 * await rexecBg(flux, ["sleep", "60"], { label: "nap", nodeid: [1, 2] });
 * const killed = await kill(flux, { label: "nap", signum: "SIGTERM", nodeid: [1, 2] });
 * console.log(killed.map(({ rank }) => rank).join()); // 1,2
 * ```
 */
export function kill<N extends Target | undefined = undefined>(
  flux: Flux,
  options: KillOptions<N>,
): ByTarget<N, Rpc<void>, RanksRpc<{ readonly rank: number }>>;
export function kill(flux: Flux, options: KillOptions): Rpc<void> | RanksRpc<{ readonly rank: number }> {
  const { pid, label } = processFields(options);
  const signum = signalNumber(options.signum ?? SIGNUM.SIGTERM);
  const payload = label === undefined ? { pid, signum } : { pid, label, signum };
  const nodeid = processTarget(options);
  return isOneRank(nodeid)
    ? new Rpc(serviceRequest(flux, "kill", payload, { ...options, nodeid }, () => undefined))
    : new RanksRpc(
        serviceRanksRequest(flux, "kill", payload, { ...options, nodeid }, (_, rank) => ({ rank })),
      );
}
