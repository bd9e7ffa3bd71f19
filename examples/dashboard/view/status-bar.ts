/** The state of the session and its connection. */
import type { Status } from "flux-subprocess";
import { html, nothing, type TemplateResult } from "lit-html";
import { interval, map, startWith, takeWhile } from "rxjs";
import type { App } from "../app.js";
import type { Link, Outage, SessionInfo } from "../model/connection.js";
import { observe } from "../observe.js";
import { clock, seconds } from "./format.js";
import { openTokenDialog } from "./token-dialog.js";

export function statusBar(app: App): unknown {
  return observe(app.link$, (link) => {
    const state = link?.status.state ?? "signed out";
    return html`<div class="status" data-state=${state} role="status">
      <span class="dot" aria-hidden="true"></span>
      <strong>${state}</strong>
      ${link ? details(app, link) : nothing}
    </div>`;
  });
}

function details(app: App, { status, outages }: Link): unknown {
  switch (status.state) {
    case "open":
      return html`${resumeNote(outages)} ${sessionInfo(app, status)}`;
    case "connecting":
    case "resuming":
      if (status.error === undefined) return nothing;
      return html`<span>${attempt(status)}</span>
        <span class="muted reason">${status.error.message}</span>
        <button class="small" @click=${() => retry(app)}>Try now</button>
        ${status.error.code === "EACCES" ? html`<button class="small" @click=${() => openTokenDialog(app)}>Another token</button>` : nothing}`;
    case "closed":
      return html`<span class="reason">${status.error?.message ?? ""}</span>
        <button class="small" @click=${() => app.connectAgain()}>Connect again</button>
        <button class="small" @click=${() => app.disconnect()}>Another token</button>`;
  }
}

function sessionInfo(app: App, { rank, size, userid, expires }: SessionInfo): TemplateResult {
  return html`<span class="muted place">rank ${rank} of ${size} · user ${userid} ·</span>
    <button class="link" title="Replace the token" @click=${() => openTokenDialog(app)}>
      token until ${clock(expires * 1000)}
    </button>`;
}

function resumeNote(outages: readonly Outage[]): unknown {
  const last = outages.at(-1);
  if (last?.until === undefined) return nothing;
  const times = outages.length === 1 ? "" : ` ${outages.length}×, the last time`;
  const word = last.lost ? "new session" : "resumed";
  const title = outages
    .map(
      ({ from, until, lost }) =>
        `lost at ${new Date(from).toLocaleTimeString()}, ${lost ? "a new session" : "back"} after ${seconds((until ?? from) - from)}`,
    )
    .join("\n");
  return html`<span class="resumed" title=${title}>${word}${times} after ${seconds(last.until - last.from)}</span>`;
}

/** Counts down to the next attempt. The countdown is hidden from screen readers, which would read out each tenth of a second. */
function attempt({ attempt, next }: Extract<Status, { state: "connecting" | "resuming" }>): unknown {
  const which = `attempt ${attempt}`;
  if (next === undefined) return html`${which}, under way`;
  const left = interval(100).pipe(
    startWith(0),
    map(() => next - Date.now()),
    takeWhile((ms) => ms > 0, true),
    map((ms) => seconds(Math.max(0, ms))),
  );
  return html`${which} <span aria-hidden="true">in ${observe(left)}</span>`;
}

/** The next status shows the result. */
function retry(app: App): void {
  app.flux?.reconnect().catch(() => {});
}
