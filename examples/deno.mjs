// Runs a command as a filter: the script's input, output and exit code are the command's. Deno permits the script the network and
// two variables. The import map selects Deno's own WebSocket, since the package for Node needs more permissions.
//
//   FLUX_SUBPROCESS_URL=... FLUX_SUBPROCESS_TOKEN=... npx deno run --allow-net=127.0.0.1 \
//     --allow-env=FLUX_SUBPROCESS_URL,FLUX_SUBPROCESS_TOKEN --import-map=examples/deno-imports.json \
//     examples/deno.mjs sort < README.md
import { connect, spawn } from "flux-subprocess";

const url = Deno.env.get("FLUX_SUBPROCESS_URL");
const token = Deno.env.get("FLUX_SUBPROCESS_TOKEN");
if (!url || !token) throw new Error("FLUX_SUBPROCESS_URL and FLUX_SUBPROCESS_TOKEN must be set");
const command = Deno.args.length > 0 ? Deno.args : ["hostname"];

const flux = connect(url, { token, retry: { first: false } });
let code = 1;
try {
  // `child` has the streams of a Deno.ChildProcess. Any way out of this block ends the process.
  await using child = spawn(flux, command);
  // A command may end before it has read all its input.
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
// Without this, Deno waits for the end of its own input.
Deno.exit(code);
