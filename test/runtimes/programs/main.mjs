// For Node, Deno and Bun. The argument is the world, as JSON; the last line of stdout is the results.
import * as client from "flux-subprocess";
import * as rx from "rxjs";
import { run } from "./suite.mjs";

console.log(JSON.stringify(await run(client, rx, JSON.parse(process.argv[2]))));
