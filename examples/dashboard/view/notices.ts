/** Messages about events that no other part of the page shows. Each disappears after some seconds. */
import { html } from "lit-html";
import { concat, map, of, Subject, switchMap, timer } from "rxjs";
import { observe } from "../observe.js";

const DURATION_MS = 6000;

const notice$ = new Subject<{ text: string; bad: boolean }>();

export function notify(text: string, bad = false): void {
  notice$.next({ text, bad });
}

export function notices(): unknown {
  const current$ = notice$.pipe(
    switchMap((notice) => concat(of(notice), timer(DURATION_MS).pipe(map(() => undefined)))),
  );
  return html`<div class="notices" role="status">
    ${observe(current$, (notice) => notice && html`<p class=${notice.bad ? "bad" : ""}>${notice.text}</p>`)}
  </div>`;
}
