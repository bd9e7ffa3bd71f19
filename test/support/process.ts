/** Helpers for tests that run processes. */
import { firstValueFrom, lastValueFrom, toArray } from "rxjs";
import {
  type CompletedProcess,
  collect,
  type ExecOptions,
  exec,
  type Flux,
  FluxError,
  list,
  type ProcessEvent,
} from "../../src/index.js";

const decoder = new TextDecoder();

export const utf8 = (bytes: Uint8Array) => decoder.decode(bytes);

/** A command that runs a shell script. */
export const sh = (script: string) => ["sh", "-c", script];

/** Runs a command to its end on one rank. */
export const run = (
  flux: Flux,
  command: readonly string[],
  options?: ExecOptions<number | "any" | undefined>,
): Promise<CompletedProcess> => firstValueFrom(exec(flux, command, options).pipe(collect()));

/** Runs to the end. @returns all events */
export const collectEvents = (
  flux: Flux,
  command: readonly string[],
  options?: ExecOptions,
): Promise<ProcessEvent[]> => lastValueFrom(exec(flux, command, options).pipe(toArray()));

/** The FluxError that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<FluxError> {
  const error = await promise.then(
    (value) => new Error(`no error but ${JSON.stringify(value)}`),
    (reason) => reason,
  );
  if (error instanceof FluxError) return error;
  throw error;
}

/** A unique label. */
export const uniqueLabel = () => `test-${crypto.randomUUID()}`;

/** Waits until `condition` holds. @throws after many tries, more than the slowest machine needs */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came true: ${what}`);
}

/** Waits until the rank no longer lists the process. */
export const untilGone = (flux: Flux, pid: number, nodeid: number | "any" = "any") =>
  until(
    async () => !(await list(flux, { nodeid }).getProcesses()).some((process) => process.pid === pid),
    `process ${pid} is gone`,
  );
