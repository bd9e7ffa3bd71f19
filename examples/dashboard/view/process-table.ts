/** The live table of processes. */
import type { FluxError, Subprocess } from "flux-subprocess";
import { html, nothing, type TemplateResult } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app.js";
import { keyOf, type Rows } from "../model/process-list.js";
import { observe } from "../observe.js";
import { rankClass } from "./colours.js";
import { filterBar } from "./filter-bar.js";
import { openSignals } from "./signal-menu.js";

export function processTable(app: App): TemplateResult {
  const { processes } = app;
  const choose = (event: Event) => {
    const key = (event.target as Element).closest("tr")?.dataset["key"];
    if (key !== undefined) processes.choose(key);
  };
  return html`<section class="panel processes" aria-labelledby="processes-title">
    ${filterBar(app)}
    <div class="scroll" id="processes" tabindex="0" aria-label="Processes; j and k choose one">
      <table role="grid" aria-label="Processes">
        <thead>
          <tr>
            <th class="rank">Rank</th>
            <th class="pid">PID</th>
            <th class="state" title="R: running, Z: has ended and waits to be waited for">St</th>
            <th>Label</th>
            <th>Command</th>
          </tr>
        </thead>
        <tbody @click=${choose} @dblclick=${() => openOutput(app)}>
          ${observe(processes.rows$, ({ rows, selected }) =>
            repeat(rows, keyOf, (process) => {
              const chosen = process === selected;
              const title = processes.titleOf(process);
              return guard([process, chosen, title], () => row(process, chosen, title));
            }),
          )}
        </tbody>
      </table>
      ${observe(processes.rows$, empty)}
    </div>
    ${observe(processes.rows$, ({ errors }) => failures(errors))}
    ${observe(processes.rows$, ({ selected }) => (selected ? actions(app, selected) : nothing))}
  </section>`;
}

/** @param title of the run of this page that it is of, which says more than its first word */
function row(process: Subprocess, chosen: boolean, title: string | undefined): TemplateResult {
  const { rank, pid, state, label, cmd } = process;
  return html`<tr data-key=${keyOf(process)} aria-selected=${chosen ? "true" : "false"}>
    <td class="rank"><span class="rank-mark ${rankClass(rank)}">${rank}</span></td>
    <td class="pid">${pid}</td>
    <td class="state" data-state=${state}>${state}</td>
    <td class=${label === "-" ? "muted" : ""}>${label}</td>
    <td class="cmd">${cmd}${title === undefined ? nothing : html` <span class="muted">${title}</span>`}</td>
  </tr>`;
}

function empty({ rows, total }: Rows): unknown {
  if (rows.length > 0) return nothing;
  return html`<p class="empty">
    ${total > 0 ? `None of ${total} is as the filters say.` : "No processes. Run one: press n."}
  </p>`;
}

/** Of a thousand ranks, one that fails is seldom alone. */
const FAILURES = 3;

function failures(errors: readonly FluxError[]): unknown {
  const more = errors.length - FAILURES;
  return html`${errors
    .slice(0, FAILURES)
    .map(({ rank, message }) => html`<p class="message bad">rank ${rank ?? "?"}: ${message}</p>`)}
  ${more > 0 ? html`<p class="message bad">and ${more} more ranks</p>` : nothing}`;
}

function actions(app: App, process: Subprocess): TemplateResult {
  const { rank, pid, cmd, label } = process;
  return html`<div class="actions" role="toolbar" aria-label="The chosen process">
    <span class="what"><b>${label === "-" ? cmd : label}</b> <span class="muted">${pid} on rank ${rank}</span></span>
    <button class="small" @click=${() => openOutput(app)}>Output <kbd>⏎</kbd></button>
    <button class="small" @click=${() => app.wait(process)}>Wait <kbd>w</kbd></button>
    <button class="small" @click=${() => openSignals(app, process)}>Signal <kbd>x</kbd></button>
  </div>`;
}

/** The output of the chosen process. */
export function openOutput(app: App): void {
  const { selected } = app.processes;
  if (selected) app.follow(selected)?.display.focus();
}
