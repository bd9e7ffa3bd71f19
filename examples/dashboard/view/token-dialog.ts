/** Another token for the session that is open. */
import { html } from "lit-html";
import type { App } from "../app.js";
import { Modal } from "./modal.js";
import { notify } from "./notices.js";

const modal = new Modal("menu", "token-title");

/** Says whether it was taken. */
export function takeToken(app: App, token: string): void {
  const open = app.place !== undefined;
  app.take(token).then(
    () => open && notify("the session goes on with the new token"),
    (error: Error) => notify(`the new token: ${error.message}`, true),
  );
}

export function openTokenDialog(app: App): void {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const token = String(new FormData(form).get("token")).trim();
    form.reset();
    modal.close();
    if (token !== "") takeToken(app, token);
  };
  const content = html`<form class="inside" @submit=${submit}>
    <h2 id="token-title">Go on with another token</h2>
    <p class="muted">Nothing that runs is interrupted. It must be of the same subject and user.</p>
    <input name="token" type="password" aria-label="New token" autocomplete="off" spellcheck="false" required />
    <button class="primary">Go on</button>
  </form>`;
  modal.open(content, () => {});
}
