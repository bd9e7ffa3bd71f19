/** The live table of processes. */
import type { FluxError, Subprocess } from "flux-subprocess";
import { html, nothing, type TemplateResult } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { repeat } from "lit-html/directives/repeat.js";
import type { App } from "../app.js";
import { type HostNames, placeOf } from "../model/host-names.js";
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
    <div class="scroll" id="processes">
      <table
        role="grid"
        tabindex="0"
        aria-label="Processes; j and k select one"
        aria-activedescendant=${observe(processes.rows$, ({ selected }) => (selected ? idOf(selected) : nothing))}
      >
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" class="rank">Rank</th>
            <th role="columnheader" class="pid">PID</th>
            <th role="columnheader" class="state" title="R: running, Z: ended, and kept for a wait">St</th>
            <th role="columnheader">Label</th>
            <th role="columnheader">Command</th>
          </tr>
        </thead>
        <tbody role="rowgroup" @click=${choose} @dblclick=${() => openOutput(app)}>
          ${observe(processes.rows$, (rows) => body(app, rows))}
        </tbody>
      </table>
      ${observe(processes.rows$, empty)}
    </div>
    ${observe(processes.rows$, ({ errors }) => failures(errors, app.hosts))}
    ${observe(processes.rows$, ({ selected }) => (selected ? actions(app, selected) : nothing))}
  </section>`;
}

/** Rows that do not match the filter are hidden, not removed: to show a thousand rows again is fast, to make them is slow. */
function body({ processes, hosts }: App, { all, rows, selected }: Rows): unknown {
  const visible = new Set(rows);
  return repeat(all, keyOf, (process) => {
    const look: Look = {
      hidden: !visible.has(process),
      selected: process === selected,
      title: processes.titleOf(process),
      host: hosts.get(process.rank),
    };
    return guard([process, ...Object.values(look)], () => row(process, look));
  });
}

interface Look {
  hidden: boolean;
  selected: boolean;
  /** The command line of this page's run that has the process. `cmd` has its first word only. */
  title: string | undefined;
  host: string | undefined;
}

const idOf = (process: Subprocess) => `process-${keyOf(process)}`;

function row(process: Subprocess, { hidden, selected, title, host }: Look): TemplateResult {
  const { rank, pid, state, label, cmd } = process;
  return html`<tr role="row" id=${idOf(process)} data-key=${keyOf(process)} ?hidden=${hidden} aria-selected=${selected ? "true" : "false"}>
    <td role="gridcell" class="rank"><span class="rank-mark ${rankClass(rank)}">${rank}</span>${host === undefined ? nothing : html` <span class="muted">${host}</span>`}</td>
    <td role="gridcell" class="pid">${pid}</td>
    <td role="gridcell" class="state" data-state=${state}>${state}</td>
    <td role="gridcell" class=${label === "-" ? "muted" : ""}>${label}</td>
    <td role="gridcell" class="cmd">${cmd}${title === undefined ? nothing : html` <span class="muted">${title}</span>`}</td>
  </tr>`;
}

function empty({ available, all, rows, errors }: Rows): unknown {
  if (rows.length > 0) return nothing;
  return html`<p class="empty">${whyEmpty(available, all.length, errors.length)}</p>`;
}

function whyEmpty(available: boolean, all: number, errors: number): string {
  if (!available) return "No session: the processes are unknown.";
  if (all > 0) return `No process matches the filters (${all} in all).`;
  return errors > 0 ? "No process to show: some ranks gave no list." : "No processes. Run one: press n.";
}

/** The most failures on display: a large instance may have hundreds at once. */
const FAILURES = 3;

function failures(errors: readonly FluxError[], hosts: HostNames): unknown {
  const more = errors.length - FAILURES;
  return html`${errors
    .slice(0, FAILURES)
    .map(
      ({ rank, message }) =>
        html`<p class="message bad">${rank === undefined ? "rank ?" : placeOf(rank, hosts)}: ${message}</p>`,
    )}
  ${more > 0 ? html`<p class="message bad">and ${more} more ${more === 1 ? "rank" : "ranks"}</p>` : nothing}`;
}

function actions(app: App, process: Subprocess): TemplateResult {
  const { rank, pid, cmd, label } = process;
  return html`<div class="actions" role="toolbar" aria-label="The selected process">
    <span class="what"><b>${label === "-" ? cmd : label}</b> <span class="muted">${pid} on ${placeOf(rank, app.hosts)}</span></span>
    <button class="small" @click=${() => openOutput(app)}>Output <kbd>⏎</kbd></button>
    <button class="small" @click=${() => app.wait(process)}>Wait <kbd>w</kbd></button>
    <button class="small" @click=${() => openSignals(app, process)}>Signal <kbd>x</kbd></button>
  </div>`;
}

/** Shows the output of the selected process. */
export function openOutput(app: App): void {
  const { selected } = app.processes;
  if (selected) app.follow(selected)?.display.focus();
}
