// For Node, Deno and Bun. The world is the argument; what came of it is the last line of stdout.
import * as client from "flux-subprocess";
import * as rx from "rxjs";
import { run } from "./suite.mjs";

console.log(JSON.stringify(await run(client, rx, JSON.parse(process.argv[2]))));
