/** The theme: light, dark, or the system's. */
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

const choice$ = new BehaviorSubject<Theme>(recall(storage, KEY, isTheme) ?? "system");
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Emits after the page has the new theme. */
export const theme$: Observable<"light" | "dark"> = combineLatest([
  choice$,
  fromEvent(dark, "change").pipe(startWith(undefined)),
]).pipe(
  map(([choice]) => {
    const theme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    document.documentElement.dataset["theme"] = theme;
    return theme;
  }),
  distinctUntilChanged(),
);

export function switchTheme(): void {
  const next = THEMES[(THEMES.indexOf(choice$.value) + 1) % THEMES.length] as Theme;
  remember(storage, KEY, next);
  choice$.next(next);
}

const SIGNS: Readonly<Record<Theme, string>> = { system: "◐", light: "☼", dark: "☾" };

export function themeButton(): TemplateResult {
  return html`${observe(
    choice$,
    (
      theme,
    ) => html`<button class="icon" title="Theme: ${theme} (t)" aria-label="Theme: ${theme}" @click=${switchTheme}>
      ${SIGNS[theme]}
    </button>`,
  )}`;
}
