/** The form that runs a command. */
import { html, nothing, type TemplateResult } from "lit-html";
import { BehaviorSubject, NEVER } from "rxjs";
import type { App } from "../app.js";
import { startInBackground } from "../model/background.js";
import { environment, ranksOf, words } from "../model/command-line.js";
import { History } from "../model/history.js";
import { observe } from "../observe.js";

const history = new History();
/** The result of the last submit, if there is one to show. */
const message$ = new BehaviorSubject<{ text: string; bad: boolean } | undefined>(undefined);

export function runForm(app: App): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    try {
      run(app, new FormData(form));
    } catch (error) {
      message$.next({ text: (error as Error).message, bad: true });
    }
  };
  return html`<form class="run panel" @submit=${submit} aria-label="Run a command">
    <div class="line">
      <label class="command">
        <span class="prompt" aria-hidden="true">$</span>
        <input
          id="command"
          name="command"
          aria-label="Command"
          placeholder="a command (n)"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          @keydown=${recallLine}
        />
      </label>
      <label class="ranks">on <input name="ranks" value="all" aria-label="Ranks" list="rank-sets" spellcheck="false" autocomplete="off" /></label>
      <datalist id="rank-sets"><option value="all"></option><option value="any"></option></datalist>
      <button class="primary">Run</button>
    </div>
    <details>
      <summary>Options</summary>
      <div class="options">
        <fieldset>
          <legend>How</legend>
          <label><input type="checkbox" name="shell" checked /> in a shell, <code>sh -c</code></label>
          <label><input type="checkbox" name="input" checked /> with input, until Ctrl-D</label>
          <label><input type="checkbox" name="background" /> in background</label>
          <label><input type="checkbox" name="waitable" /> waitable, if in background</label>
        </fieldset>
        <label>Label <input name="label" autocomplete="off" spellcheck="false" placeholder="unique on its rank" /></label>
        <label>Directory <input name="cwd" autocomplete="off" spellcheck="false" placeholder="the broker's" /></label>
        <label class="wide"
          >Environment
          <textarea name="env" rows="3" spellcheck="false" placeholder="NAME=VALUE, one a line"></textarea>
          <small>An environment given here replaces the broker's, including PATH.</small>
        </label>
      </div>
    </details>
    ${observe(message$, (message) =>
      message
        ? html`<p class="message ${message.bad ? "bad" : ""}" role="alert">${message.text}</p>`
        : nothing,
    )}
  </form>`;
}

function run(app: App, fields: FormData): void {
  const text = (name: string) => String(fields.get(name) ?? "").trim();
  const has = (name: string) => fields.has(name);
  const line = text("command");
  const { flux, session } = app;
  if (line === "") throw new SyntaxError("no command");
  if (!flux || !session) throw new Error("not connected yet");
  const ranks = ranksOf(text("ranks"), session);
  const command = has("shell") ? ["sh", "-c", line] : words(line);
  const options = {
    env: environment(String(fields.get("env") ?? "")),
    cwd: text("cwd") || undefined,
    label: text("label") || undefined,
  };
  message$.next(undefined);
  if (has("background")) {
    startInBackground(flux, command, ranks, { ...options, waitable: has("waitable") }).subscribe((result) =>
      message$.next(result),
    );
  } else {
    app.exec(command, ranks, { ...options, ...(has("input") ? { stdin: NEVER } : {}) }, line);
  }
  history.add(line);
}

function recallLine(event: KeyboardEvent): void {
  if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
  const input = event.target as HTMLInputElement;
  input.value = history.step(event.key === "ArrowUp" ? -1 : 1, input.value);
  event.preventDefault();
}
