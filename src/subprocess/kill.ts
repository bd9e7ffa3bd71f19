import type { Flux } from "../flux.js";
import { abortSignal } from "../protocol/checks.js";
import { checkOptions, unchecked } from "../protocol/options.js";
import { SIGNUM, type SignalName, signalNumber } from "../protocol/signals.js";
import { Rpc } from "../rpc.js";
import {
  type PidOrLabel,
  PROCESS_OPTIONS,
  processFields,
  RANK_OPTIONS,
  type RankOptions,
  SERVICE_OPTIONS,
  serviceRequest,
} from "./service.js";

/** Options of {@link kill}. */
export type KillOptions = PidOrLabel &
  RankOptions & {
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
 * @param options the process and the signal
 * @returns errors with a FluxError: ESRCH if no such process exists
 * @throws TypeError if neither or both of pid and label are given, or the signal is not valid
 *
 * @example
 * ```ts
 * await rexecBg(flux, ["sleep", "60"], { label: "nap", waitable: true, nodeid: 2 }).get();
 * await kill(flux, { label: "nap", signum: "SIGTERM", nodeid: 2 }).get();
 * console.log(describeOutcome(await wait(flux, { label: "nap", nodeid: 2 }).getOutcome())); // was ended by SIGTERM
 * ```
 */
export function kill(flux: Flux, options: KillOptions): Rpc<void> {
  checkOptions("kill", options, PROCESS_OPTIONS, RANK_OPTIONS, SERVICE_OPTIONS, KILL_OPTIONS);
  const { pid, label } = processFields(options);
  const signum = signalNumber(options.signum ?? SIGNUM.SIGTERM);
  const payload = label === undefined ? { pid, signum } : { pid, label, signum };
  return new Rpc(serviceRequest(flux, "kill", payload, options, () => undefined));
}
