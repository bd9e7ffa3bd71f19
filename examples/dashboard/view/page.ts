/** The whole page. */
import { html, type TemplateResult } from "lit-html";
import { combineLatest, distinctUntilChanged, map } from "rxjs";
import type { App } from "../app.js";
import { observe } from "../observe.js";
import { bytes } from "./format.js";
import { openHelp } from "./help.js";
import { notices } from "./notices.js";
import { plot } from "./plot.js";
import { processTable } from "./process-table.js";
import { runForm } from "./run-form.js";
import { runView } from "./run-view.js";
import { signIn } from "./sign-in.js";
import { statusBar } from "./status-bar.js";
import { themeButton } from "./theme.js";

export function page(app: App): TemplateResult {
  const signedIn = app.link$.pipe(
    map((link) => link !== undefined),
    distinctUntilChanged(),
  );
  return html`<header class="top">
      <h1>flux<span>-subprocess</span></h1>
      ${statusBar(app)}
      <span class="buttons">
        ${themeButton()}
        <button class="icon" title="Keys (?)" aria-label="Keys" @click=${openHelp}>?</button>
      </span>
    </header>
    ${observe(signedIn, (yes) => (yes ? dashboard(app) : signIn(app)))} ${notices()}`;
}

function dashboard(app: App): TemplateResult {
  return html`<main class="dashboard">
    ${runForm(app)}
    <div class="plots panel">
      ${observe(combineLatest([app.samples$, app.link$]), ([samples, link]) => {
        const outages = link?.outages ?? [];
        return [
          plot(samples, outages, {
            title: "processes",
            read: (sample) => sample.processes,
            format: String,
            least: 4,
          }),
          plot(samples, outages, {
            title: "output",
            read: (sample) => sample.bytes,
            format: (n) => `${bytes(n)}/s`,
            least: 1024,
          }),
        ];
      })}
    </div>
    ${processTable(app)} ${runView(app)}
  </main>`;
}
