// Runs a command as a filter: what is piped in goes to it, what it writes comes out here, and its exit code is this script's.
// Deno gives it the network and two variables, and no more. By the import map the socket is Deno's own WebSocket, and not
// that of a package for Node, which asks for more.
//
//   FLUX_SUBPROCESS_URL=... FLUX_SUBPROCESS_TOKEN=... npx deno run --allow-net=127.0.0.1 \
//     --allow-env=FLUX_SUBPROCESS_URL,FLUX_SUBPROCESS_TOKEN --import-map=examples/deno-imports.json \
//     examples/deno.mjs sort < README.md
import { connect, spawn } from "flux-subprocess";

const url = Deno.env.get("FLUX_SUBPROCESS_URL");
const token = Deno.env.get("FLUX_SUBPROCESS_TOKEN");
if (!url || !token) throw new Error("FLUX_SUBPROCESS_URL and FLUX_SUBPROCESS_TOKEN say where to connect to");
const command = Deno.args.length > 0 ? Deno.args : ["hostname"];

const flux = connect(url, { token });
let code = 1;
try {
  // It has the streams of a Deno.ChildProcess. Leaving this block ends it, however that comes.
  await using child = spawn(flux, command);
  // A command may end before it has read all.
  Deno.stdin.readable.pipeTo(child.stdin).catch(() => {});
  const keep = { preventClose: true, preventAbort: true };
  await Promise.all([
    child.stdout.pipeTo(Deno.stdout.writable, keep),
    child.stderr.pipeTo(Deno.stderr.writable, keep),
  ]);
  ({ code } = await child.status);
} catch (error) {
  console.error(error.message);
} finally {
  flux.close();
}
// Without it Deno waits for the end of its own input, which nobody reads any more.
Deno.exit(code);
