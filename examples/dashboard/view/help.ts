/** The keys. */
import { html } from "lit-html";
import { Modal } from "./modal.js";

const KEYS: readonly (readonly [keys: string, what: string])[] = [
  ["n", "a command to run; ↑ and ↓ bring back earlier ones"],
  ["/", "filter the processes"],
  ["j k, ↓ ↑", "choose a process"],
  ["Enter", "its output: of a run of this page, or attach"],
  ["w", "wait for it"],
  ["x", "send it a signal"],
  ["[ ]", "the run before, the next"],
  ["0 to 9", "the output of one rank"],
  ["m", "the output of all ranks, merged"],
  ["p", "pause the output, and let it go on"],
  ["i", "type input; Ctrl-D ends it, Ctrl-C interrupts"],
  ["s", "send the run a signal"],
  ["q", "close the run, which ends it"],
  ["t", "light, dark, or as the system has it"],
  ["Esc", "out of a field"],
];

const modal = new Modal("menu help", "help-title");

export function openHelp(): void {
  const content = html`<div class="inside">
    <h2 id="help-title">Keys</h2>
    <dl>${KEYS.map(([keys, what]) => html`<dt><kbd>${keys}</kbd></dt><dd>${what}</dd>`)}</dl>
    <button @click=${() => modal.close()}>Close</button>
  </div>`;
  modal.open(content, ({ key }) => key === "?" && modal.close());
}
