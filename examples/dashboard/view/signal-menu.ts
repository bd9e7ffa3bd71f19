/** The menu of signals, for the chosen process or for a run. */
import { kill, type SignalName, type Subprocess, signalNumber } from "flux-subprocess";
import { html, type TemplateResult } from "lit-html";
import type { App } from "../app.js";
import type { Run } from "../model/run.js";
import { Modal } from "./modal.js";
import { notify } from "./notices.js";
import type { TerminalPane } from "./terminal.js";

const SIGNALS: readonly (readonly [key: string, name: SignalName, what: string])[] = [
  ["t", "SIGTERM", "end, please"],
  ["i", "SIGINT", "interrupt, as Ctrl-C does"],
  ["k", "SIGKILL", "end, now"],
  ["h", "SIGHUP", "hang up"],
  ["q", "SIGQUIT", "end, with a core dump"],
  ["s", "SIGSTOP", "stop"],
  ["c", "SIGCONT", "continue"],
  ["1", "SIGUSR1", "as the program has it"],
  ["2", "SIGUSR2", "as the program has it"],
];

type Send = (signum: number, name: SignalName) => void;

const modal = new Modal("menu", "signals-title");

/** For a process of the table. */
export function openSignals(app: App, process: Subprocess): void {
  const { pid, rank, cmd } = process;
  open(`${cmd}, ${pid} on rank ${rank}`, (signum, name) => {
    if (!app.flux) return;
    kill(app.flux, { pid, nodeid: rank, signum }).subscribe({
      complete: () => notify(`${name} sent to ${pid} on rank ${rank}`),
      error: (error: Error) => notify(`${name} to ${pid} on rank ${rank}: ${error.message}`, true),
    });
  });
}

/** For a run: for the rank that is looked at, or for all. */
export function openRunSignals(run: Run<TerminalPane>): void {
  const view = run.display.view$.value;
  const where = view === "all" ? "all ranks that run" : `rank ${view}`;
  open(`${run.title}, ${where}`, (signum, name) =>
    run.signal(signum, name, view === "all" ? undefined : view),
  );
}

function open(whom: string, send: Send): void {
  const choose = (name: SignalName) => {
    modal.close();
    send(signalNumber(name), name);
  };
  modal.open(menu(whom, choose), (event) => {
    const found = SIGNALS.find(([key]) => key === event.key);
    if (!found || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(found[1]);
  });
}

function menu(whom: string, choose: (name: SignalName) => void): TemplateResult {
  return html`<div class="inside">
    <h2 id="signals-title">Send a signal</h2>
    <p class="muted">${whom}</p>
    ${SIGNALS.map(
      ([key, name, what]) => html`<button class="item" @click=${() => choose(name)}>
        <kbd>${key}</kbd> <code>${name}</code> <span class="muted">${what}</span>
      </button>`,
    )}
  </div>`;
}
