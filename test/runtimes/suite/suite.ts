/**
 * The one suite that every runtime runs. It imports only its own files: each runtime passes in its library and RxJS. The suite
 * reaches its world (../world.ts) by WebSocket and fetch alone.
 */
import { abortCases } from "./abort.js";
import { byteCases } from "./bytes.js";
import type { Case, Client, Context, Rx, World } from "./context.js";
import { contextOf } from "./context.js";
import { errorCases } from "./errors.js";
import { interopCases } from "./interop.js";
import { resumeCases } from "./resume.js";
import { sessionCases } from "./session.js";
import { signingCases } from "./signing.js";
import { verbCases } from "./verbs.js";

export const cases: readonly Case[] = [
  ...sessionCases,
  ...verbCases,
  ...byteCases,
  ...abortCases,
  ...interopCases,
  ...resumeCases,
  ...signingCases,
  ...errorCases,
];

export interface Result {
  name: string;
  ms?: number;
  /** The failure. Absent if the case passed. */
  error?: string;
}

/** The limit for a case, in milliseconds. */
const CASE_MS = 20_000;

/** Runs every case, one after another. */
export async function run(client: Client, rx: Rx, world: World): Promise<Result[]> {
  const context = contextOf(client, rx, world);
  const results: Result[] = [];
  for (const { name, test } of cases) results.push(await attempt(name, () => test(context)));
  context.close();
  return results;
}

async function attempt(name: string, test: () => Promise<void>): Promise<Result> {
  const begin = performance.now();
  const timed = () => ({ name, ms: Math.round(performance.now() - begin) });
  let timeout: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([
      test(),
      new Promise<never>((_, reject) => {
        timeout = setTimeout(() => reject(new Error(`not done in ${CASE_MS} ms`)), CASE_MS);
      }),
    ]);
    return timed();
  } catch (error) {
    return { ...timed(), error: error instanceof Error ? (error.stack ?? String(error)) : String(error) };
  } finally {
    clearTimeout(timeout);
  }
}

export type { Case, Context };
