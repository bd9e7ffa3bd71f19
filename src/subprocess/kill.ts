import type { Flux } from "../flux.js";
import { SIGNUM, type SignalName, signalNumber } from "../protocol/signals.js";
import { Rpc } from "../rpc.js";
import { type PidOrLabel, processFields, type RankOptions, serviceRequest } from "./service.js";

/** Options of {@link kill}. */
export type KillOptions = PidOrLabel &
  RankOptions & {
    /** A Linux signal, as a number or a name. Default: 15, SIGTERM. */
    signum?: number | SignalName | undefined;
  };

/**
 * Sends a signal to a process and its process group (RFC 42 kill). Python's counterpart is `flux.subprocess.kill`.
 *
 *     await kill(flux, { label: "server", nodeid: 2 }).get();
 *
 * @throws TypeError if neither or both of pid and label are given, or the signal is none; FluxError from the Rpc:
 *   ESRCH if there is no such process
 */
export function kill(flux: Flux, options: KillOptions): Rpc<void> {
  const { pid, label } = processFields(options);
  const signum = signalNumber(options.signum ?? SIGNUM.SIGTERM);
  const payload = label === undefined ? { pid, signum } : { pid, label, signum };
  return new Rpc(serviceRequest(flux, "kill", payload, options, () => undefined));
}
