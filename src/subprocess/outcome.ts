import type { FluxError } from "../errors.js";
import { signalName } from "../protocol/signals.js";

/**
 * How a process ended. There is no default: what nobody knows is "unknown".
 *
 * - `exited`: `code`, 0 to 255
 * - `signaled`: `signal`, a Linux signal number
 * - `unknown`: Flux, the proxy or the connection failed before the end was known; `cause` says how
 */
export type Outcome =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number }
  | { readonly kind: "unknown"; readonly cause: FluxError };

/**
 * The outcome that a raw wait status (RFC 42 `status`, waitpid(2)) tells.
 * @throws TypeError for a status that is not of a process that has ended
 */
export function outcomeOf(status: number): Outcome {
  const signal = status & 0x7f;
  if (!Number.isInteger(status) || status < 0 || status > 0xffff || signal === 0x7f) {
    throw new TypeError(`not the wait status of a process that has ended: ${status}`);
  }
  return signal === 0 ? { kind: "exited", code: (status >> 8) & 0xff } : { kind: "signaled", signal };
}

/** Whether the process exited with 0. */
export function succeeded(outcome: Outcome): boolean {
  return outcome.kind === "exited" && outcome.code === 0;
}

/** An outcome in words: "exited with 7", "was ended by SIGKILL", "ended in a way that is not known: ...". */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `exited with ${outcome.code}`;
    case "signaled":
      return `was ended by ${signalName(outcome.signal)}`;
    case "unknown":
      return `ended in a way that is not known: ${outcome.cause.message}`;
  }
}
