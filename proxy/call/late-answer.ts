/** An answer of a rank that the proxy gave up. Its process may run all the same. PROTOCOL.md, "Requests". */

import { SIGNUM } from "../../src/protocol/signals.js";
import type { JsonObject } from "../broker/payload.js";
import { ProcessSignals, type ProcessSignalsOptions } from "./process-signals.js";

/** The pid of an exec that started late; undefined if the answer is another one. */
export function lateStart({ type, pid }: JsonObject): number | undefined {
  return type === "started" && typeof pid === "number" ? pid : undefined;
}

/**
 * Ends a process that nobody follows: sends SIGKILL, signed as the request was. Where only the client can sign, the process runs
 * until the session ends, and Flux ends it then (RFC 42 exec).
 */
export function killLateStart(options: ProcessSignalsOptions): void {
  const signals = new ProcessSignals(options);
  signals.prepare([SIGNUM.SIGKILL], () => signals.send(SIGNUM.SIGKILL));
}
