/** The dialog that lists the keys. */
import { html } from "lit-html";
import { Modal } from "./modal.js";

const KEYS: readonly (readonly [keys: string, effect: string])[] = [
  ["n", "enter a command; ↑ and ↓ recall earlier ones"],
  ["/", "filter the processes"],
  ["j k, ↓ ↑", "select a process"],
  ["Enter", "show its output: that of its run on this page, or attach"],
  ["w", "wait for it"],
  ["x", "send it a signal"],
  ["[ ]", "previous run, next run"],
  ["0 to 9", "show the output of one rank"],
  ["m", "show the output of all ranks, merged"],
  ["p", "pause or resume the output"],
  ["i", "type input; Ctrl-D ends it, Ctrl-C interrupts"],
  ["s", "send the run a signal"],
  ["q", "close the run, which ends its processes"],
  ["t", "light, dark, or the system's theme"],
  ["Esc", "leave a field"],
];

const modal = new Modal("menu help", "help-title");

export function openHelp(): void {
  const content = html`<div class="inside">
    <h2 id="help-title">Keys</h2>
    <dl>${KEYS.map(([keys, effect]) => html`<dt><kbd>${keys}</kbd></dt><dd>${effect}</dd>`)}</dl>
    <button @click=${() => modal.close()}>Close</button>
  </div>`;
  modal.open(content, ({ key }) => key === "?" && modal.close());
}
