/** Runs the steps of the demo as a user's program would, and prints their results. */
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

/** A step that is silent for longer has failed, in milliseconds. */
const SILENCE_MS = 20_000;

/** Makes a function of source text. All of that text is in steps.ts. */
const AsyncFunction = (async () => {}).constructor as new (
  ...source: string[]
) => (...values: unknown[]) => Promise<unknown>;

/** The names that a step may use. */
const IMPORTS = { ...client, concatMap, first, firstValueFrom, from, interval, map, NEVER, take, tap };

/** The commands and the output of a step. */
export interface StepContext {
  flux: client.Flux;
  style: Style;
  print(line: string): void;
  /** Emits when the demo must stop. */
  stopped: Observable<unknown>;
}

/** The end of the last statement that begins at the margin. */
const LAST_STATEMENT = /;\n\S(?!.*;\n\S)/s;

/** @returns false if the result is not the expected one */
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
  if (!right) print(indent(style.bad(`not as expected: ${step.shows}`)));
  return right;
}

/** The value of the last expression of `code`: the values of an Observable, or the value of a promise. */
function evaluate(code: string, scope: Record<string, unknown>): Observable<unknown> {
  const at = code.search(LAST_STATEMENT) + 1;
  // In a block, so that a step may declare a name that the client has too.
  const body = `{ ${code.slice(0, at)}\nreturn (${code.slice(at)}); }`;
  // In an array, since a promise cannot resolve to an Observable of its own values.
  const run = async () => [await new AsyncFunction(...Object.keys(scope), body)(...Object.values(scope))];
  return defer(run).pipe(mergeMap(([result]) => (isObservable(result) ? result : of(result))));
}

function render(value: unknown, style: Style): string {
  return inspect(value, { colors: style.enabled, breakLength: 88, depth: 4 });
}

function describe(error: unknown): string {
  if (error instanceof client.FluxError) return `FluxError: ${error.message}`;
  return String(error);
}

/** Indents every line of a text. */
export function indent(text: string, by = "    "): string {
  return text.replace(/^/gm, by);
}
