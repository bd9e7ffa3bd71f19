/** Asks for the token where the URL brought none. It is kept in memory: a reload asks again. */
import { html, type TemplateResult } from "lit-html";
import type { App } from "../app.js";

export function signIn(app: App): TemplateResult {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const token = String(new FormData(form).get("token")).trim();
    form.reset();
    if (token !== "") app.connect(token);
  };
  return html`<main class="sign-in">
    <form @submit=${submit}>
      <h2>Connect to this proxy</h2>
      <p class="muted">
        The token is kept in memory, for as long as this page is open. <code>flux-subprocess token</code> makes one.
      </p>
      <label
        >Token
        <input name="token" type="password" autocomplete="off" spellcheck="false" required autofocus />
      </label>
      <button class="primary">Connect</button>
    </form>
  </main>`;
}
