/** `proxy`: serves until a signal comes. */
import type { Command } from "commander";
import { startEmbeddedBroker } from "../embedded/index.js";
import { createProxy, type ProxyOptions } from "../index.js";
import type { Mechanism } from "../signing/index.js";
import { CliError, USAGE } from "./errors.js";
import { readCurveKey, readJson, readSharedSecret } from "./files.js";
import { pageUrl } from "./page-url.js";
import type { Listen } from "./parse.js";
import { addProxyFlags, flagValues } from "./proxy-flags.js";
import { untilSignal } from "./signals.js";

/** The flags that are not the value of an option as it stands. */
interface Flags {
  uri?: string;
  embedded?: number;
  listen: Listen;
  secret?: string;
  users?: string;
  sign?: Mechanism;
  curveKey?: string;
  dashboard?: true;
  /** false for --no-audit. */
  audit?: string | false;
}

const NOTES = `
With --dashboard it prints the page's URL too, after its own.
The proxy has no TLS: beyond the loopback interface, put it behind a server that has.
Without --gateway it takes tokens of its own user alone.`;

/** Adds the command `proxy`. @param end takes the exit code */
export function addProxy(program: Command, end: (code: number) => void): void {
  const command = program
    .command("proxy")
    .description("let clients with a token use a Flux broker; it prints its URL when it listens")
    .addHelpText("after", NOTES);
  addProxyFlags(command).action(async (flags: Flags) => {
    await serve(flags);
    end(0);
  });
}

async function serve(flags: Flags): Promise<void> {
  // First: a signal may come as soon as the URL is printed.
  const signaled = untilSignal();
  const broker = await openBroker(flags);
  try {
    const proxy = await createProxy({ ...(await proxyOptions(flags)), uri: broker.uri });
    process.stdout.write(`${proxy.url}\n`);
    if (flags.dashboard) process.stdout.write(`${pageUrl(proxy.url)}\n`);
    await signaled;
    await proxy.close();
  } finally {
    await broker.close();
  }
}

async function proxyOptions(flags: Flags): Promise<Omit<ProxyOptions, "uri">> {
  const values = flagValues({ ...flags });
  const { listen, secret, users, audit = "-" } = flags;
  if ((values.jwks === undefined) === (secret === undefined))
    throw new CliError("give one of --jwks and --secret", USAGE);
  return {
    ...values,
    ...listen,
    secret: secret === undefined ? undefined : await readSharedSecret(secret),
    users: users === undefined ? undefined : ((await readJson(users)) as Record<string, number>),
    signer: await signerOptions(flags),
    audit: audit === "-" ? process.stderr : audit,
  };
}

async function signerOptions({ sign, curveKey }: Flags): Promise<ProxyOptions["signer"]> {
  if ((sign === "curve") !== (curveKey !== undefined)) {
    throw new CliError("--sign curve and --curve-key go together", USAGE);
  }
  if (sign === undefined) return undefined;
  // Only "curve" has an option without a default: its key.
  const key = curveKey === undefined ? {} : await readCurveKey(curveKey);
  return { mechanism: sign, ...key } as ProxyOptions["signer"];
}

async function openBroker({ uri, embedded }: Pick<Flags, "uri" | "embedded">) {
  if (embedded !== undefined) {
    if (uri !== undefined) throw new CliError("--embedded and --uri exclude each other", USAGE);
    return startEmbeddedBroker({ size: embedded });
  }
  const found = uri ?? process.env["FLUX_URI"];
  if (!found)
    throw new CliError("no broker: give --uri or FLUX_URI, or --embedded N for its own broker", USAGE);
  return { uri: found, close: async () => {} };
}
