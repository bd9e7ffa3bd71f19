/** Runs the conformance suite on the broker that `--uri` names. */
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const { values } = parseArgs({
  options: { uri: { type: "string", default: process.env.FLUX_URI }, shell: { type: "string" } },
});
if (!values.uri) {
  console.error("usage: npm run conformance -- --uri local:///path/to/socket");
  process.exit(2);
}
process.env.FLUX_CONFORMANCE_URI = values.uri;
if (values.shell) process.env.FLUX_CONFORMANCE_SHELL = values.shell;
const vitest = await startVitest("test", [], {
  include: ["test/conformance/flux.ts"],
  watch: false,
  reporters: ["verbose"],
});
await vitest.close();
