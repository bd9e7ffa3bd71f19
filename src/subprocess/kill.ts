import type { Flux } from "../flux.js";
import { abortSignal } from "../protocol/checks.js";
import { checkOptions, unchecked } from "../protocol/options.js";
import { SIGNUM, type SignalName, signalNumber } from "../protocol/signals.js";
import { type RankResult, RanksRpc } from "../ranks-rpc.js";
import { Rpc } from "../rpc.js";
import { PROCESS_OPTIONS, type ProcessOptions, processFields, processTarget } from "./process-ref.js";
import {
  RANK_OPTIONS,
  type RankOptions,
  SERVICE_OPTIONS,
  serviceRanksRequest,
  serviceRequest,
} from "./service.js";
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

const KILL_OPTIONS = {
  signum: unchecked,
  // Python's `kill` and a child process's have the number of the signal there.
  signal: (value: unknown) => abortSignal(value) && `${abortSignal(value)}; the signal to send is "signum"`,
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
): ByTarget<N, Rpc<void>, RanksRpc<RankResult>>;
export function kill(flux: Flux, options: KillOptions): Rpc<void> | RanksRpc<RankResult> {
  checkOptions("kill", options, PROCESS_OPTIONS, RANK_OPTIONS, SERVICE_OPTIONS, KILL_OPTIONS);
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
