/** Light or dark: as the system has it, or as was chosen. */
import { html, type TemplateResult } from "lit-html";
import {
  BehaviorSubject,
  combineLatest,
  distinctUntilChanged,
  fromEvent,
  map,
  type Observable,
  startWith,
} from "rxjs";
import { recall, remember } from "../model/storage.js";
import { observe } from "../observe.js";

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

const KEY = "flux-subprocess.theme";
const storage = () => localStorage;
const isTheme = (value: unknown): value is Theme => THEMES.includes(value as Theme);

const chosen$ = new BehaviorSubject<Theme>(recall(storage, KEY, isTheme) ?? "system");
const dark = matchMedia("(prefers-color-scheme: dark)");

/** What is to be seen; the page has it already when this emits. */
export const theme$: Observable<"light" | "dark"> = combineLatest([
  chosen$,
  fromEvent(dark, "change").pipe(startWith(undefined)),
]).pipe(
  map(([chosen]) => {
    const theme = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
    document.documentElement.dataset["theme"] = theme;
    return theme;
  }),
  distinctUntilChanged(),
);

export function switchTheme(): void {
  const next = THEMES[(THEMES.indexOf(chosen$.value) + 1) % THEMES.length] as Theme;
  remember(storage, KEY, next);
  chosen$.next(next);
}

const SIGNS: Readonly<Record<Theme, string>> = { system: "◐", light: "☼", dark: "☾" };

export function themeButton(): TemplateResult {
  return html`${observe(
    chosen$,
    (
      theme,
    ) => html`<button class="icon" title="Theme: ${theme} (t)" aria-label="Theme: ${theme}" @click=${switchTheme}>
      ${SIGNS[theme]}
    </button>`,
  )}`;
}
