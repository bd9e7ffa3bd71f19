/** The menu of signals, for the selected process or for a run. */
import { type FluxError, kill, type SignalName, type Subprocess, signalNumber } from "flux-subprocess";
import { html, type TemplateResult } from "lit-html";
import type { App } from "../app.js";
import { placeOf } from "../model/host-names.js";
import type { Run } from "../model/run.js";
import { Modal } from "./modal.js";
import { notify } from "./notices.js";
import type { TerminalPane } from "./terminal.js";

const SIGNALS: readonly (readonly [key: string, name: SignalName, effect: string])[] = [
  ["t", "SIGTERM", "end; the program may clean up"],
  ["i", "SIGINT", "interrupt, as Ctrl-C does"],
  ["k", "SIGKILL", "end at once"],
  ["h", "SIGHUP", "hang up"],
  ["q", "SIGQUIT", "end, with a core dump"],
  ["s", "SIGSTOP", "stop"],
  ["c", "SIGCONT", "continue"],
  ["1", "SIGUSR1", "defined by the program"],
  ["2", "SIGUSR2", "defined by the program"],
];

type Send = (signum: number, name: SignalName) => void;

const modal = new Modal("menu", "signals-title");

/** Opens the menu for a process of the table. */
export function openSignals(app: App, process: Subprocess): void {
  const { pid, rank, cmd } = process;
  open(`${cmd}, ${pid} on ${placeOf(rank, app.hosts)}`, (signum, name) => {
    if (!app.flux) return;
    kill(app.flux, { pid, nodeid: rank, signum }).subscribe({
      complete: () => notify(`${name} sent to ${pid} on ${placeOf(rank, app.hosts)}`),
      error: (error: FluxError) =>
        notify(`${name} to ${pid} on ${placeOf(rank, app.hosts)}: ${error.reason}`, true),
    });
  });
}

/** Opens the menu for a run: for the rank on display, or for all ranks. */
export function openRunSignals(run: Run<TerminalPane>): void {
  const view = run.display.view$.value;
  const where = view === "all" ? "all running ranks" : `rank ${view}`;
  open(`${run.title}, ${where}`, (signum, name) =>
    run.signal(signum, name, view === "all" ? undefined : view),
  );
}

function open(target: string, send: Send): void {
  const choose = (name: SignalName) => {
    modal.close();
    send(signalNumber(name), name);
  };
  modal.open(menu(target, choose), (event) => {
    const entry = SIGNALS.find(([key]) => key === event.key);
    if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(entry[1]);
  });
}

function menu(target: string, choose: (name: SignalName) => void): TemplateResult {
  return html`<div class="inside">
    <h2 id="signals-title">Send a signal</h2>
    <p class="muted">${target}</p>
    ${SIGNALS.map(
      ([key, name, effect]) => html`<button class="item" @click=${() => choose(name)}>
        <kbd>${key}</kbd> <code>${name}</code> <span class="muted">${effect}</span>
      </button>`,
    )}
  </div>`;
}
