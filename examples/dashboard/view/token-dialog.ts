/** The dialog that replaces the open session's token. */
import { html } from "lit-html";
import type { App } from "../app.js";
import { Modal } from "./modal.js";
import { notify } from "./notices.js";

const modal = new Modal("menu", "token-title");

/** Renews the session's token, or opens a session, and shows the result. */
export function takeToken(app: App, token: string): void {
  const open = app.session !== undefined;
  app.take(token).then(
    () => open && notify("The session has the new token."),
    (error: Error) => notify(`new token: ${error.message}`, true),
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
    <h2 id="token-title">Replace the token</h2>
    <p class="muted">Runs are not interrupted. The new token must have the same subject and user.</p>
    <input name="token" type="password" aria-label="New token" autocomplete="off" spellcheck="false" required />
    <button class="primary">Replace</button>
  </form>`;
  modal.open(content, () => {});
}
