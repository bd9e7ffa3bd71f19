/** The ranks of a run with their states. A click shows one rank's output alone. */
import { signalName } from "flux-subprocess";
import { html, nothing } from "lit-html";
import { combineLatest, throttleTime } from "rxjs";
import type { App } from "../app.js";
import { type HostNames, placeOf } from "../model/host-names.js";
import type { Run } from "../model/run.js";
import { isUnresponsive, type RankState } from "../model/run-state.js";
import { observe } from "../observe.js";
import { rankClass } from "./colours.js";
import type { TerminalPane, View } from "./terminal.js";

export function rankChips(app: App, run: Run<TerminalPane>): unknown {
  const { view$ } = run.display;
  // Throttled, since many ranks may start or end at once.
  const state$ = run.state$.pipe(throttleTime(50, undefined, { leading: true, trailing: true }));
  return observe(combineLatest([state$, view$]), ([{ ranks }, view]) => {
    const choose = (next: View) => () => run.display.look(next);
    return html`<span class="chips" role="radiogroup" aria-label="Whose output">
      ${
        ranks.size === 1
          ? nothing
          : html`<button class="chip" role="radio" aria-checked=${view === "all" ? "true" : "false"} title="All ranks, merged (m)" @click=${choose("all")}>all</button>`
      }
      ${[...ranks.values()].map(
        (state) => html`<button
          class="chip ${rankClass(state.rank)}"
          role="radio"
          aria-checked=${view === state.rank ? "true" : "false"}
          data-phase=${state.phase}
          title=${title(state, app.hosts)}
          @click=${choose(state.rank)}
        >
          <span class="rank-mark ${rankClass(state.rank)}">${state.rank}</span> ${word(state)}
        </button>`,
      )}
    </span>`;
  });
}

/** The shortest word for a state: "…", "●", "⏳", "0", "KILL", "?", "!". */
function word(state: RankState): unknown {
  const { phase, outcome } = state;
  if (isUnresponsive(state)) return html`<span class="bad">⏳</span>`;
  if (phase === "starting") return "…";
  if (phase === "running") return html`<span class="live">●</span>`;
  if (outcome?.kind === "exited")
    return html`<span class=${outcome.code === 0 ? "good" : "bad"}>${outcome.code}</span>`;
  if (outcome?.kind === "signaled")
    return html`<span class="bad">${signalName(outcome.signal).slice(3)}</span>`;
  return html`<span class="bad">${phase === "failed" ? "!" : "?"}</span>`;
}

function title(state: RankState, hosts: HostNames): string {
  const { rank, phase, pid } = state;
  const silent = isUnresponsive(state) ? ", its broker does not answer" : "";
  return `${placeOf(rank, hosts)}${pid === undefined ? "" : `, pid ${pid}`}: ${phase}${silent}`;
}
