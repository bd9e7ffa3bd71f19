/** The page's keys. help.ts lists them for the user. */
import { fromEvent } from "rxjs";
import type { App } from "../app.js";
import { openHelp } from "./help.js";
import { openOutput } from "./process-table.js";
import { openRunSignals, openSignals } from "./signal-menu.js";
import { switchTheme } from "./theme.js";

type Action = (app: App) => void;

const focus = (selector: string) => document.querySelector<HTMLElement>(selector)?.focus();

const ofRun = (act: (run: NonNullable<App["runs"]["active$"]["value"]>, app: App) => void): Action => {
  return (app) => {
    const run = app.runs.active$.value;
    if (run) act(run, app);
  };
};

const choose = (by: number): Action => {
  return ({ processes }) => {
    processes.step(by);
    // The table is not drawn yet.
    requestAnimationFrame(() =>
      document.querySelector('#processes tr[aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
    );
  };
};

const ACTIONS: Readonly<Record<string, Action>> = {
  n: () => focus("#command"),
  r: () => focus("#command"),
  "/": () => focus("#filter"),
  "?": openHelp,
  t: switchTheme,
  j: choose(1),
  k: choose(-1),
  ArrowDown: choose(1),
  ArrowUp: choose(-1),
  Enter: openOutput,
  w: (app) => app.processes.selected && app.wait(app.processes.selected),
  x: (app) => app.processes.selected && openSignals(app, app.processes.selected),
  i: () => focus(".stdin"),
  p: ofRun((run) => run.pause(!run.state.paused)),
  s: ofRun((run) => openRunSignals(run)),
  q: ofRun((run, { runs }) => runs.close(run)),
  m: ofRun(({ display, state }) => state.ranks.size > 1 && display.look("all")),
  "[": ({ runs }) => runs.step(-1),
  "]": ({ runs }) => runs.step(1),
};

export function listenToKeys(app: App): void {
  fromEvent<KeyboardEvent>(document, "keydown").subscribe((event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as HTMLElement;
    if (isField(target)) {
      if (event.key === "Escape") target.blur();
      return;
    }
    // Enter presses a button.
    if (event.key === "Enter" && target.closest("button, summary")) return;
    const action = ACTIONS[event.key] ?? (/^\d$/.test(event.key) ? rankKey(Number(event.key)) : undefined);
    if (!action) return;
    event.preventDefault();
    action(app);
  });
}

const rankKey = (rank: number): Action =>
  ofRun(({ display, state }) => state.ranks.has(rank) && display.look(rank));

/** True if the element takes keys as text. xterm.js's textarea does not. */
function isField(element: HTMLElement): boolean {
  return element.matches("input, textarea, select") && !element.closest(".terminal-host");
}
