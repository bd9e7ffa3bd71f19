/** What happened and has no place of its own: shown for a while. */
import { html } from "lit-html";
import { concat, map, of, Subject, switchMap, timer } from "rxjs";
import { observe } from "../observe.js";

const SHOWN_MS = 6000;

const told$ = new Subject<{ text: string; bad: boolean }>();

export function notify(text: string, bad = false): void {
  told$.next({ text, bad });
}

export function notices(): unknown {
  const shown$ = told$.pipe(
    switchMap((notice) => concat(of(notice), timer(SHOWN_MS).pipe(map(() => undefined)))),
  );
  return html`<div class="notices" role="status">
    ${observe(shown$, (notice) => notice && html`<p class=${notice.bad ? "bad" : ""}>${notice.text}</p>`)}
  </div>`;
}
