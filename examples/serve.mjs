// Serves this checkout's files on the loopback interface, without a build.
//
//   node examples/serve.mjs
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import sirv from "sirv";

const root = fileURLToPath(new URL("..", import.meta.url));
// `extensions`: rxjs imports "./internal/Observable" for Observable.js. `dev`: files may change while the server runs.
const files = sirv(root, { dev: true, extensions: ["js"] });
const server = createServer((request, response) => files(request, response));
server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/examples/browser.html`);
});
