/** Exit codes, as flux exec and shells have them. */
import type { FluxError, Outcome } from "../../src/index.js";

/** The end of the process is unknown, or a failure has no code of its own. Never 0. */
export const FAILED = 1;

/** The exit code after SIGPIPE: the reader of the output has gone. */
export const BROKEN_PIPE = 141;

/** The exit code for a process that ended. */
export function outcomeCode(outcome: Outcome): number {
  switch (outcome.kind) {
    case "exited":
      return outcome.code;
    case "signaled":
      return 128 + outcome.signal;
    case "unknown":
      return FAILED;
  }
}

/** The exit code for a process that a rank could not start. */
export function startFailureCode(error: FluxError): number {
  switch (error.code) {
    case "EPERM":
    case "EACCES":
      return 126;
    case "ENOENT":
      return 127;
    case "EHOSTUNREACH":
      return 68; // EX_NOHOST of sysexits.h
    default:
      return FAILED;
  }
}
