/** `proxy`: serves until a signal comes. */
import type { Command } from "commander";
import { startEmbeddedBroker } from "../embedded/index.js";
import { createProxy } from "../index.js";
import { CliError, USAGE } from "./errors.js";
import { type LOOPBACK, listenOption, positiveInteger } from "./parse.js";
import { untilSignal } from "./signals.js";

interface ProxyOptions {
  uri?: string;
  embedded?: number;
  listen: typeof LOOPBACK;
  jwks: string;
  issuer: string;
  audience: string;
}

export function addProxy(program: Command, end: (code: number) => void): void {
  program
    .command("proxy")
    .description("let clients with a token use a Flux broker; prints the URL when it listens")
    .option("--uri <URI>", "the broker's URI, local://PATH (default: $FLUX_URI)")
    .option("--embedded <N>", "instead: a broker of N ranks in this process", positiveInteger)
    .addOption(listenOption())
    .requiredOption("--jwks <FILE>", "the JWK Set that tokens are verified with")
    .requiredOption("--issuer <ISS>", "what a token's issuer must be")
    .requiredOption("--audience <AUD>", "what a token's audience must be")
    .addHelpText(
      "after",
      "\nThe proxy has no TLS: beyond the loopback interface, put it behind a server that has." +
        "\nWhoever has a token may do all that the proxy's own user may.",
    )
    .action(async (options: ProxyOptions) => {
      await serve(options);
      end(0);
    });
}

async function serve({ listen, jwks, issuer, audience, ...source }: ProxyOptions): Promise<void> {
  // Before anybody can know that it runs, and stop it.
  const signaled = untilSignal();
  const broker = await openBroker(source);
  try {
    const proxy = await createProxy({ uri: broker.uri, jwks, issuer, audience, ...listen });
    process.stdout.write(`${proxy.url}\n`);
    await signaled;
    await proxy.close();
  } finally {
    await broker.close();
  }
}

async function openBroker({ uri, embedded }: Pick<ProxyOptions, "uri" | "embedded">) {
  if (embedded !== undefined) {
    if (uri !== undefined) throw new CliError("--embedded and --uri exclude each other", USAGE);
    return startEmbeddedBroker({ size: embedded });
  }
  const found = uri ?? process.env["FLUX_URI"];
  if (!found)
    throw new CliError("no broker: give --uri or FLUX_URI, or --embedded N for one of its own", USAGE);
  return { uri: found, close: async () => {} };
}
