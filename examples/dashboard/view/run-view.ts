/** The runs: their tabs, and the one on display. */
import { html, type TemplateResult } from "lit-html";
import { keyed } from "lit-html/directives/keyed.js";
import { repeat } from "lit-html/directives/repeat.js";
import { combineLatest, distinctUntilChanged, interval, map, startWith } from "rxjs";
import type { App } from "../app.js";
import type { Run } from "../model/run.js";
import { isUnresponsive, type Kind, type RunState } from "../model/run-state.js";
import { observe } from "../observe.js";
import { bytes } from "./format.js";
import { inputLine } from "./input-line.js";
import { rankChips } from "./rank-chips.js";
import { openRunSignals } from "./signal-menu.js";
import type { TerminalPane } from "./terminal.js";

type PaneRun = Run<TerminalPane>;

const VERBS: Readonly<Record<Kind, string>> = { exec: "", attach: "attach: ", wait: "wait: " };

export function runView(app: App): TemplateResult {
  const { all$, active$ } = app.runs;
  return html`<section class="panel output" aria-label="Output">
    ${observe(combineLatest([all$, active$]), ([all, active]) =>
      all.length === 0
        ? empty()
        : html`<div class="tabs" role="tablist" aria-label="Runs">
          ${repeat(
            all,
            (run) => run,
            (run) => tab(app, run, run === active),
          )}
        </div>`,
    )}
    ${observe(active$, (run) => (run ? keyed(run, body(app, run)) : ""))}
  </section>`;
}

function empty(): TemplateResult {
  return html`<div class="empty">
    <p>The output of your commands appears here.</p>
    <p class="muted"><kbd>n</kbd> runs a command, <kbd>Enter</kbd> attaches to a process, <kbd>?</kbd> shows all keys.</p>
  </div>`;
}

function tab(app: App, run: PaneRun, active: boolean): TemplateResult {
  return html`<div class="tab" role="presentation">
    <button role="tab" aria-selected=${active ? "true" : "false"} @click=${() => app.runs.active$.next(run)}>
      ${observe(run.state$.pipe(map(phaseOf), distinctUntilChanged()), (phase) => html`<span class="dot" data-phase=${phase} title=${phase}></span>`)}
      ${VERBS[run.kind]}${run.title}
    </button>
    <button class="close" aria-label="Close ${run.title}" title="Close and end its processes (q)" @click=${() => app.runs.close(run)}>×</button>
  </div>`;
}

/** The run's state in one word. */
function phaseOf({ ranks, over, paused }: RunState): string {
  if (paused) return "paused";
  if (!over) return [...ranks.values()].some(isUnresponsive) ? "unresponsive" : "running";
  const good = [...ranks.values()].every(({ outcome }) => outcome?.kind === "exited" && outcome.code === 0);
  return good ? "done" : "failed";
}

function body(app: App, run: PaneRun): TemplateResult {
  return html`<div class="run-body" role="tabpanel" aria-label=${run.title}>
    <div class="toolbar" role="toolbar" aria-label="The run">
      ${rankChips(app, run)}
      <span class="tools">
        <span class="muted size">${observe(byteCount(run))}</span>
        ${observe(run.state$, (state) => tools(app, run, state))}
      </span>
    </div>
    ${observe(run.state$, (state) => (state.paused ? pausedNote(run.kind, state) : ""))}
    ${run.display.element} ${observe(run.state$, (state) => inputLine(run, state))}
  </div>`;
}

function tools(app: App, run: PaneRun, { over, paused }: RunState): TemplateResult {
  const pausable = run.kind !== "wait" && (paused || !over);
  return html`${
    pausable
      ? html`<button class="small" aria-pressed=${paused ? "true" : "false"} @click=${() => run.pause(!paused)}>
        ${paused ? "Resume" : "Pause"} <kbd>p</kbd>
      </button>`
      : ""
  }
  ${
    over
      ? html`<button class="small" @click=${() => app.runs.close(run)}>Close <kbd>q</kbd></button>`
      : html`${run.kind === "attach" ? html`<button class="small" @click=${() => run.detach()}>Detach</button>` : ""}
        <button class="small" @click=${() => openRunSignals(run)}>Signal <kbd>s</kbd></button>`
  }`;
}

/** The effect of a pause depends on the overflow policy: by default exec stops the process, and attach drops output. */
function pausedNote(kind: Kind, { over }: RunState): TemplateResult {
  const effect =
    kind === "attach"
      ? "The process runs on. If the buffers fill, its output is dropped, and the amount is shown here."
      : "If the buffers fill, the process is stopped until you resume.";
  return html`<p class="message paused" role="status">
    Paused. ${over ? "The run has ended, and the rest of its output waits." : effect}
  </p>`;
}

const byteCount = (run: PaneRun) =>
  interval(500).pipe(
    startWith(0),
    map(() => bytes(run.bytes)),
    distinctUntilChanged(),
  );
