/** Runs the conformance suite on the broker that `--uri` names. */
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const { values } = parseArgs({ options: { uri: { type: "string", default: process.env.FLUX_URI } } });
if (!values.uri) {
  console.error("usage: npm run conformance -- --uri local:///path/to/socket");
  process.exit(2);
}
process.env.FLUX_CONFORMANCE_URI = values.uri;
const vitest = await startVitest("test", [], {
  include: ["test/conformance/flux.ts"],
  watch: false,
  reporters: ["verbose"],
});
await vitest.close();
