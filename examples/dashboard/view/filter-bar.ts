/** The table's filter: text, ranks, state. */
import { html, type TemplateResult } from "lit-html";
import { map, startWith } from "rxjs";
import type { App } from "../app.js";
import { ranksOf } from "../model/command-line.js";
import type { Rows } from "../model/process-list.js";
import { observe } from "../observe.js";

export function filterBar(app: App): TemplateResult {
  const { processes } = app;
  const byText = (event: Event) =>
    processes.refine({ text: (event.target as HTMLInputElement).value.trim() });
  const byState = (event: Event) => processes.refine({ state: (event.target as HTMLSelectElement).value });
  const count = processes.rows$.pipe(map(countText), startWith(""));
  return html`<header>
    <h2 id="processes-title">Processes <span class="muted count">${observe(count)}</span></h2>
    <div class="filters" role="search">
      <input id="filter" type="search" placeholder="filter (/)" aria-label="Filter by label, command or pid" spellcheck="false" @input=${byText} />
      <input class="ranks" placeholder="ranks" aria-label="Filter by ranks" spellcheck="false" @input=${(event: Event) => byRanks(app, event)} />
      <select aria-label="Filter by state" @change=${byState}>
        <option value="">any state</option>
        <option value="R">running</option>
        <option value="Z">ended</option>
      </select>
    </div>
  </header>`;
}

function countText({ available, rows, all }: Rows): string {
  if (!available) return "";
  return rows.length === all.length ? `${all.length}` : `${rows.length} of ${all.length}`;
}

/** Text that is not a set of ranks marks the field, and the filter stays. */
function byRanks(app: App, event: Event): void {
  const input = event.target as HTMLInputElement;
  const text = input.value.trim();
  try {
    const ranks = text === "" ? undefined : new Set(ranksOf(text, app.session ?? { rank: 0, size: 1 }));
    app.processes.refine({ ranks });
    input.setCustomValidity("");
  } catch (error) {
    input.setCustomValidity((error as Error).message);
  }
}
