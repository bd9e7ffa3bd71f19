/** The field for a process's input, which is sent line by line as in a terminal. */
import { html, nothing } from "lit-html";
import type { Run } from "../model/run.js";
import type { RunState } from "../model/run-state.js";
import type { TerminalPane } from "./terminal.js";

export function inputLine(run: Run<TerminalPane>, { input, ranks, unsent, over }: RunState): unknown {
  if (input === "none" || over) return nothing;
  const open = input === "open" && run.running.length > 0;
  const to = ranks.size === 1 ? "its input" : `the input of all ${ranks.size} ranks`;
  return html`<div class="input-line">
    <span class="prompt" aria-hidden="true">›</span>
    <input
      class="stdin"
      aria-label="Input"
      placeholder=${open ? `${to} (i)` : input === "ended" ? "its input has ended" : "starting"}
      ?disabled=${!open}
      autocomplete="off"
      autocapitalize="off"
      spellcheck="false"
      @keydown=${(event: KeyboardEvent) => key(run, event)}
    />
    ${unsent > 0 ? html`<span class="muted">${unsent} not read yet</span>` : nothing}
    <button class="small" ?disabled=${!open} @click=${() => run.endInput()}>End <kbd>Ctrl-D</kbd></button>
  </div>`;
}

function key(run: Run<TerminalPane>, event: KeyboardEvent): void {
  const field = event.target as HTMLInputElement;
  const control = event.ctrlKey && !event.altKey && !event.metaKey;
  if (event.key === "Enter" && !event.isComposing) {
    run.send(`${field.value}\n`);
    field.value = "";
  } else if (control && event.key === "d") {
    // As in a terminal: Ctrl-D sends the line without a newline, and ends the input only on an empty line.
    if (field.value === "") run.endInput();
    else run.send(field.value);
    field.value = "";
  } else if (control && event.key === "c" && field.selectionStart === field.selectionEnd) {
    run.signal(2, "SIGINT");
  } else return;
  event.preventDefault();
}
