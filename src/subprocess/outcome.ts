import type { FluxError } from "../errors.js";
import { signalName } from "../protocol/signals.js";

/** The end of a process. A lost end is "unknown", never exit code 0. */
export type Outcome =
  /** The process has exited. */
  | {
      readonly kind: "exited";
      /** The exit code, 0 to 255. */
      readonly code: number;
      /** The `timeout` in milliseconds, if it had passed and SIGTERM had reached the process before. */
      readonly timedOut?: number;
    }
  /** A signal has ended the process. */
  | {
      readonly kind: "signaled";
      /** The Linux signal number. */
      readonly signal: number;
      /** The `timeout` in milliseconds, if it had passed and SIGTERM had reached the process before. */
      readonly timedOut?: number;
    }
  /** Flux, the proxy or the connection has failed before the end was known. */
  | {
      readonly kind: "unknown";
      /** That failure. */
      readonly cause: FluxError;
    };

/**
 * Decodes a raw wait status (RFC 42 `status`, waitpid(2)). Python's counterpart is `os.waitstatus_to_exitcode`.
 *
 * @param status such as {@link WaitResponse} has it
 * @throws TypeError if no process that has ended has that status
 *
 * @example
 * ```ts
 * console.log(describeOutcome(outcomeOf(0x700))); // exited with 7
 * console.log(describeOutcome(outcomeOf(9))); // was ended by SIGKILL
 * ```
 */
export function outcomeOf(status: number): Outcome {
  const signal = status & 0x7f;
  if (!Number.isInteger(status) || status < 0 || status > 0xffff || signal === 0x7f) {
    throw new TypeError(`not the wait status of a process that has ended: ${status}`);
  }
  return signal === 0 ? { kind: "exited", code: (status >> 8) & 0xff } : { kind: "signaled", signal };
}

/**
 * True if the process exited with 0, and was not ended after its `timeout`.
 *
 * @param outcome of a process
 *
 * @example
 * ```ts
 * console.log(succeeded({ kind: "exited", code: 0 }), succeeded({ kind: "signaled", signal: 15 })); // true false
 * ```
 */
export function succeeded(outcome: Outcome): boolean {
  return outcome.kind === "exited" && outcome.code === 0 && !outcome.timedOut;
}

/**
 * Describes an outcome: "exited with 7", "was ended by SIGKILL", "was ended after its timeout of 200 ms (SIGTERM)", "ended in a way that is
 * not known: ...".
 *
 * @param outcome of a process
 *
 * @example
 * ```ts
 * const { outcome } = await firstValueFrom(exec(flux, ["sh", "-c", "exit 7"]).pipe(collect()));
 * console.log(describeOutcome(outcome)); // exited with 7
 * ```
 */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `exited with ${outcome.code}${outcome.timedOut ? `, after SIGTERM at its ${timeoutOf(outcome)}` : ""}`;
    case "signaled": {
      const signal = signalName(outcome.signal);
      return outcome.timedOut
        ? `was ended after its ${timeoutOf(outcome)} (${signal})`
        : `was ended by ${signal}`;
    }
    case "unknown":
      return `ended in a way that is not known: ${outcome.cause.message}`;
  }
}

function timeoutOf({ timedOut }: { timedOut?: number }): string {
  return `timeout of ${timedOut} ms`;
}
