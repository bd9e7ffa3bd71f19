/** The form for the token, if the URL had no token. After a reload the page asks again, since the token is in memory only. */
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
        The page keeps the token in memory until you close it. <code>flux-subprocess token</code> makes a token.
      </p>
      <label
        >Token
        <input name="token" type="password" autocomplete="off" spellcheck="false" required autofocus />
      </label>
      <button class="primary">Connect</button>
    </form>
  </main>`;
}
