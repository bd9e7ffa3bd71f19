/** Runs the steps of the demo as a user's program would, and prints what they give. */
import { inspect } from "node:util";
import {
  concatMap,
  defer,
  first,
  firstValueFrom,
  from,
  interval,
  isObservable,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  take,
  takeUntil,
  tap,
  timeout,
} from "rxjs";
import * as client from "../../../src/index.js";
import type { Style } from "../style.js";
import type { Step } from "./steps.js";

/** How long a step may be silent, in milliseconds: something is wrong then. */
const SILENCE_MS = 20_000;

/** Makes a function of source text. All of that text is in steps.ts. */
const AsyncFunction = (async () => {}).constructor as new (
  ...source: string[]
) => (...values: unknown[]) => Promise<unknown>;

/** What a step finds imported. */
const IMPORTS = { ...client, concatMap, first, firstValueFrom, from, interval, map, NEVER, take, tap };

export interface StepContext {
  flux: client.Flux;
  style: Style;
  print(line: string): void;
  /** Emits when the demo is to stop. */
  stopped: Observable<unknown>;
}

/** The end of the last statement that begins at the margin. */
const LAST_STATEMENT = /;\n\S(?!.*;\n\S)/s;

/** @returns whether its result is what it must be */
export async function runStep(step: Step, { flux, style, print, stopped }: StepContext): Promise<boolean> {
  const shown: string[] = [];
  const show = (text: string) => {
    shown.push(text);
    print(indent(text, "  | "));
  };
  const values = evaluate(step.code, { ...IMPORTS, flux }).pipe(
    timeout({ each: SILENCE_MS }),
    takeUntil(stopped),
  );
  let failed = false;
  await lastValueFrom(values.pipe(tap((value) => show(render(value, style)))), {
    defaultValue: undefined,
  }).catch((error: unknown) => {
    failed = true;
    show(style.bad(describe(error)));
  });
  const right = failed === (step.fails ?? false) && step.shows.test(style.strip(shown.join("\n")));
  if (!right) print(indent(style.bad(`not what it should be: ${step.shows}`)));
  return right;
}

/** What the last expression of `code` gives: the values of an Observable, or the one of a promise. */
function evaluate(code: string, scope: Record<string, unknown>): Observable<unknown> {
  const at = code.search(LAST_STATEMENT) + 1;
  // In a block, where a step may have names of its own that are also names of the client.
  const body = `{ ${code.slice(0, at)}\nreturn (${code.slice(at)}); }`;
  // Wrapped, since a promise of an Observable is not what the operators expect.
  const run = async () => [await new AsyncFunction(...Object.keys(scope), body)(...Object.values(scope))];
  return defer(run).pipe(mergeMap(([result]) => (isObservable(result) ? result : of(result))));
}

function render(value: unknown, style: Style): string {
  return inspect(value, { colors: style.enabled, breakLength: 88, depth: 4 });
}

function describe(error: unknown): string {
  if (error instanceof client.FluxError) return `FluxError ${error.code} (${error.errno}): ${error.message}`;
  return String(error);
}

export function indent(text: string, by = "    "): string {
  return text.replace(/^/gm, by);
}
