/** `proxy`: serves until a signal comes. */
import { type Command, Option } from "commander";
import { startEmbeddedBroker } from "../embedded/index.js";
import { createProxy, type ProxyOptions } from "../index.js";
import { CliError, USAGE } from "./errors.js";
import { readCurveKey, readJson, readSharedSecret } from "./files.js";
import { pageUrl } from "./page-url.js";
import { type LOOPBACK, listenOption, naturalNumber, positiveInteger } from "./parse.js";
import { untilSignal } from "./signals.js";

interface Options {
  uri?: string;
  embedded?: number;
  listen: typeof LOOPBACK;
  jwks?: string;
  secret?: string;
  issuer: string;
  audience: string;
  users?: string;
  sign?: "none" | "munge" | "curve";
  curveKey?: string;
  gateway?: true;
  /** In seconds. */
  grace?: number;
  maxGrace?: number;
  sessions?: number;
  attaches?: number;
  dashboard?: true;
  /** false for --no-audit. */
  audit: string | false;
}

export function addProxy(program: Command, end: (code: number) => void): void {
  program
    .command("proxy")
    .description("let clients with a token use a Flux broker; prints the URL when it listens")
    .option("--uri <URI>", "the broker's URI, local://PATH (default: $FLUX_URI)")
    .option("--embedded <N>", "instead: a broker of N ranks in this process", positiveInteger)
    .addOption(listenOption())
    .option("--jwks <FILE|URL>", "the JWK Set that tokens are verified with; new keys in it are noticed")
    .option("--secret <FILE>", "instead of --jwks: a file with the secret of HS256 tokens")
    .requiredOption("--issuer <ISS>", "what a token's issuer must be")
    .requiredOption("--audience <AUD>", "what a token's audience must be")
    .option("--users <FILE>", 'the userids of subjects whose tokens have no uid, as JSON: {"SUB": UID}')
    .addOption(
      new Option(
        "--sign <MECHANISM>",
        "sign the proxy's own user's requests, where a client asks for it",
      ).choices(["none", "munge", "curve"]),
    )
    .option("--curve-key <FILE>", "the key for --sign curve: a private JWK, a PEM, or a sig of Flux")
    .option("--gateway", "speak for each token's user; only the instance owner may")
    .option(
      "--grace <SECONDS>",
      "how long a session outlives a lost connection (default: 120)",
      naturalNumber,
    )
    .option("--max-grace <SECONDS>", "and how long at most, if its client asks (default: 600)", naturalNumber)
    .option("--sessions <N>", "how many sessions a subject may have (default: 256)", positiveInteger)
    .option(
      "--attaches <N>",
      "how many attaches may be open, half of them of one subject (default: 1024)",
      positiveInteger,
    )
    .option("--dashboard", "serve a page for browsers too, and print its URL after the other")
    .option("--audit <FILE>", 'where the audit goes, one JSON line an operation; "-" is stderr', "-")
    .option("--no-audit", "keep no audit")
    .addHelpText(
      "after",
      "\nThe proxy has no TLS: beyond the loopback interface, put it behind a server that has." +
        "\nWithout --gateway it takes tokens of its own user alone.",
    )
    .action(async (options: Options) => {
      await serve(options);
      end(0);
    });
}

async function serve(options: Options): Promise<void> {
  // Before anybody can know that it runs, and stop it.
  const signaled = untilSignal();
  const broker = await openBroker(options);
  try {
    const proxy = await createProxy({ uri: broker.uri, ...(await proxyOptions(options)) });
    process.stdout.write(`${proxy.url}\n`);
    if (options.dashboard) process.stdout.write(`${pageUrl(proxy.url)}\n`);
    await signaled;
    await proxy.close();
  } finally {
    await broker.close();
  }
}

async function proxyOptions(options: Options): Promise<Omit<ProxyOptions, "uri">> {
  const { listen, jwks, secret, issuer, audience, users, gateway, dashboard, grace, maxGrace } = options;
  const { sessions, attaches } = options;
  if ((jwks === undefined) === (secret === undefined))
    throw new CliError("give one of --jwks and --secret", USAGE);
  return {
    ...listen,
    jwks,
    secret: secret === undefined ? undefined : await readSharedSecret(secret),
    issuer,
    audience,
    users: users === undefined ? undefined : ((await readJson(users)) as Record<string, number>),
    signer: await signerOptions(options),
    gateway,
    dashboard,
    graceMs: milliseconds(grace),
    maxGraceMs: milliseconds(maxGrace),
    sessionsPerSubject: sessions,
    attaches,
    audit: options.audit === "-" ? process.stderr : options.audit,
  };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

async function signerOptions({ sign, curveKey }: Options): Promise<ProxyOptions["signer"]> {
  if ((sign === "curve") !== (curveKey !== undefined)) {
    throw new CliError("--sign curve and --curve-key go together", USAGE);
  }
  if (curveKey !== undefined) return { mechanism: "curve", ...(await readCurveKey(curveKey)) };
  if (sign === "none") return { mechanism: "none" };
  return sign === "munge" ? { mechanism: "munge" } : undefined;
}

async function openBroker({ uri, embedded }: Pick<Options, "uri" | "embedded">) {
  if (embedded !== undefined) {
    if (uri !== undefined) throw new CliError("--embedded and --uri exclude each other", USAGE);
    return startEmbeddedBroker({ size: embedded });
  }
  const found = uri ?? process.env["FLUX_URI"];
  if (!found)
    throw new CliError("no broker: give --uri or FLUX_URI, or --embedded N for one of its own", USAGE);
  return { uri: found, close: async () => {} };
}
