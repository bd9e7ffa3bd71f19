/**
 * The dashboard: a page that runs processes on a Flux instance, through the proxy that serves the page. `npm run build` bundles
 * it into dist/dashboard; `npm run demo` and `flux-subprocess proxy --dashboard` serve the bundle.
 */
import { render } from "lit-html";
import { App } from "./app.js";
import "./style/index.css";
import { tokenOfFragment } from "./token.js";
import { listenToKeys } from "./view/keyboard.js";
import { page } from "./view/page.js";
import { theme$ } from "./view/theme.js";
import { takeToken } from "./view/token-dialog.js";

const app = new App();
const token = tokenOfFragment();
if (token !== undefined) app.connect(token);
// A URL with another token, opened in the page's own tab, does not reload the page.
addEventListener("hashchange", () => {
  const another = tokenOfFragment();
  if (another !== undefined) takeToken(app, another);
});
theme$.subscribe(() => {
  for (const run of app.runs.all$.value) run.display.recolour();
});
render(page(app), document.body);
listenToKeys(app);
