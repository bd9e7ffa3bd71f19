// Runs a command on every rank and prints its lines at once, each with its rank.
//
//   FLUX_SUBPROCESS_URL=... FLUX_SUBPROCESS_TOKEN=... node examples/node.mjs hostname
import { connect, exec, lines, orThrow } from "flux-subprocess";
import { lastValueFrom, tap } from "rxjs";

const { FLUX_SUBPROCESS_URL: url, FLUX_SUBPROCESS_TOKEN: token } = process.env;
if (!url || !token) throw new Error("FLUX_SUBPROCESS_URL and FLUX_SUBPROCESS_TOKEN must be set");
const command = process.argv.length > 2 ? process.argv.slice(2) : ["hostname"];

// A script fails at once if the proxy cannot be reached; a page would try again.
const flux = connect(url, { token, retry: { first: false } });
try {
  const labelled = exec(flux, command, { nodeid: "all" }).pipe(
    // An error, after all ranks have ended, unless each ended with exit code 0.
    orThrow(),
    // Lines of each stream of each rank by itself.
    lines(),
    tap(({ rank, stream, line }) => console[stream === "stderr" ? "error" : "log"](`${rank}: ${line}`)),
  );
  await lastValueFrom(labelled, { defaultValue: undefined });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  flux.close();
}
