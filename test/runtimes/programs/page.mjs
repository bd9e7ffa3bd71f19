// For browsers. The page gets the world from its server, and posts the results to it.
import * as client from "flux-subprocess";
import * as rx from "rxjs";
import { run } from "./suite.mjs";

const world = await (await fetch("/world")).json();
const report = await run(client, rx, world).catch((error) => String(error?.stack ?? error));
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
