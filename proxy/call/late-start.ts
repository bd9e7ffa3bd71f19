/** A process that has started after its client had given up on it is ended: nobody follows it. */
import { SIGNUM } from "../../src/protocol/signals.js";
import { ProcessSignals, type ProcessSignalsOptions } from "./process-signals.js";

/**
 * Sends SIGKILL, signed as the request was. Where only the client can sign the process runs on until the session ends,
 * with which Flux ends it (RFC 42 exec).
 */
export function endLateStart(options: ProcessSignalsOptions): void {
  const signals = new ProcessSignals(options);
  signals.prepare([SIGNUM.SIGKILL], () => signals.send(SIGNUM.SIGKILL));
}
