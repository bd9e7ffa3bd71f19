// For workerd: a Worker whose request has the world, and whose response is what came of it.
import * as client from "flux-subprocess";
import * as rx from "rxjs";
import { run } from "./suite.mjs";

export default {
  async fetch(request) {
    return Response.json(await run(client, rx, await request.json()));
  },
};
