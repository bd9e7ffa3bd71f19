/** Errors on the command line: one line on stderr and an exit code. */
import { FluxError } from "../../src/index.js";

/** The exit code for wrong usage. */
export const USAGE = 2;

/** An error of this command line itself. Its message needs no stack. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Reports an error of `command` on stderr. @returns the exit code */
export function complain(command: string | undefined, error: unknown): number {
  say(command, `Error: ${explain(error)}`);
  if (error instanceof CliError) return error.exitCode;
  // The client throws a TypeError at once for an argument that is never valid.
  return error instanceof TypeError ? USAGE : 1;
}

/** A line on stderr. */
export function say(command: string | undefined, message: string): void {
  process.stderr.write(`${["flux-subprocess", command].filter(Boolean).join(" ")}: ${message}\n`);
}

/** An error in one line. An unforeseen error keeps its stack. */
export function explain(error: unknown): string {
  // The command has named verb and object, and reports name the rank.
  if (error instanceof FluxError) return error.reason;
  if (!(error instanceof Error)) return String(error);
  const foreseen = error instanceof CliError || error instanceof TypeError || error instanceof RangeError;
  return foreseen || "code" in error ? error.message : (error.stack ?? error.message);
}
