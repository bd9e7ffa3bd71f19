/** From --url, --token-file and --embedded to a Flux handle, and its end. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { connect, type Flux } from "../../src/index.js";
import { startEmbeddedStack } from "./embedded.js";
import { CliError, USAGE } from "./errors.js";
import { positiveInteger } from "./parse.js";

export interface ConnectionOptions {
  url?: string;
  tokenFile?: string;
  embedded?: number;
}

/** Gives a command the options that say where to connect to. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option("--url <URL>", "the proxy's URL (default: $FLUX_SUBPROCESS_URL)")
    .option("--token-file <FILE>", "a file with the token (default: the token in $FLUX_SUBPROCESS_TOKEN)")
    .option(
      "--embedded <N>",
      "instead of a proxy's URL: a broker of N ranks in this process, gone when it ends",
      positiveInteger,
    );
}

/** Connects, does what is to be done, and closes all that it opened. */
export async function withFlux<T>(options: ConnectionOptions, use: (flux: Flux) => Promise<T>): Promise<T> {
  const { embedded, url, tokenFile } = options;
  if (embedded === undefined) return useAndClose(await connectTo(options), use);
  if (url !== undefined || tokenFile !== undefined) {
    throw new CliError("--embedded goes with neither --url nor --token-file", USAGE);
  }
  const stack = await startEmbeddedStack(embedded);
  try {
    return await useAndClose(connect(stack.url, { token: stack.token }), use);
  } finally {
    await stack.close();
  }
}

async function useAndClose<T>(flux: Flux, use: (flux: Flux) => Promise<T>): Promise<T> {
  try {
    return await use(flux);
  } finally {
    flux.close();
  }
}

async function connectTo({
  url = process.env["FLUX_SUBPROCESS_URL"],
  tokenFile,
}: ConnectionOptions): Promise<Flux> {
  if (!url) {
    throw new CliError(
      "no proxy: give --url or FLUX_SUBPROCESS_URL, or --embedded N for a broker of its own",
      USAGE,
    );
  }
  return connect(url, { token: await readToken(tokenFile) });
}

/** Never from an argument: those are for all to see in the table of processes. */
async function readToken(file: string | undefined): Promise<string> {
  const token = file === undefined ? process.env["FLUX_SUBPROCESS_TOKEN"] : await readFile(file, "utf8");
  if (token?.trim()) return token.trim();
  if (file !== undefined) throw new CliError(`${file} has no token`);
  throw new CliError("no token: give --token-file or FLUX_SUBPROCESS_TOKEN", USAGE);
}
