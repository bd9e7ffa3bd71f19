// Serves this checkout on the loopback interface, as it is: nothing is built or bundled.
//
//   node examples/serve.mjs
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import sirv from "sirv";

const root = fileURLToPath(new URL("..", import.meta.url));
// rxjs imports "./internal/Observable" and means Observable.js. Every path is looked up when it is asked for.
const files = sirv(root, { dev: true, extensions: ["js"] });
const server = createServer((request, response) => files(request, response));
server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/examples/browser.html`);
});
