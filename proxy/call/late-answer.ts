/** An answer of a rank that the proxy gave up. Its process may run all the same. PROTOCOL.md, "Requests". */

import { SIGNUM } from "../../src/protocol/signals.js";
import type { JsonObject } from "../broker/payload.js";
import { ProcessSignals, type ProcessSignalsOptions } from "./process-signals.js";

/**
 * Ends the process of an exec that started late, since nobody follows it: sends SIGKILL, signed as the request was. Where only the client can sign, the process runs
 * until the session ends, and Flux ends it then (RFC 42 exec).
 */
export function killLateStart({ type, pid }: JsonObject, options: Omit<ProcessSignalsOptions, "pid">): void {
  if (type !== "started" || typeof pid !== "number") return;
  const signals = new ProcessSignals({ ...options, pid });
  signals.prepare([SIGNUM.SIGKILL], () => signals.send(SIGNUM.SIGKILL));
}
