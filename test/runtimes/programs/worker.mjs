// For workerd: the Worker's request has the world, and its response the results.
import * as client from "flux-subprocess";
import * as rx from "rxjs";
import { run } from "./suite.mjs";

export default {
  async fetch(request) {
    return Response.json(await run(client, rx, await request.json()));
  },
};
