/** From --url, --token-file, --embedded and --key to a Flux handle, and its end. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { decodeJwt } from "jose";
import { type ClientSigner, connect, curveSigner, type Flux } from "../../src/index.js";
import { startEmbeddedStack } from "./embedded.js";
import { CliError, USAGE } from "./errors.js";
import { readCurveKey } from "./files.js";
import { positiveInteger, userid } from "./parse.js";

/** The user of a command that cannot connect is there to try again. */
const RETRY = { first: false };

/** The options of every command that connects to a proxy. */
export interface ConnectionOptions {
  url?: string;
  tokenFile?: string;
  embedded?: number;
  sign?: true;
  key?: string;
  userid?: number;
}

/** Gives a command the options of its connection. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option("--url <URL>", "the proxy's URL (default: $FLUX_SUBPROCESS_URL)")
    .option("--token-file <FILE>", "a file with the token (default: the token in $FLUX_SUBPROCESS_TOKEN)")
    .option(
      "--embedded <N>",
      "in place of --url: a broker of N ranks in this process, until the command ends",
      positiveInteger,
    )
    .option("--sign", "sign the request (default: if the instance belongs to another user)")
    .option(
      "--key <FILE>",
      "sign here with this key, not in the proxy: a private JWK, a PEM, or ~/.flux/curve/sig; keygen --curve makes one",
    )
    .option("--userid <UID>", "the user of that key (default: the token's uid, or yours)", userid);
}

/** Connects, uses the handle, and closes everything that it opened. */
export async function withFlux<T>(options: ConnectionOptions, use: (flux: Flux) => Promise<T>): Promise<T> {
  const { embedded, url, tokenFile } = options;
  if (options.key === undefined && options.userid !== undefined) {
    throw new CliError("--userid is for --key", USAGE);
  }
  if (embedded === undefined) return useAndClose(await connectTo(options), use);
  if (url !== undefined || tokenFile !== undefined) {
    throw new CliError("--embedded goes with neither --url nor --token-file", USAGE);
  }
  const stack = await startEmbeddedStack(embedded);
  try {
    const signer = await readSigner(options, stack.token);
    return await useAndClose(connect(stack.url, { token: stack.token, signer, retry: RETRY }), use);
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
  ...signing
}: ConnectionOptions): Promise<Flux> {
  if (!url) {
    throw new CliError(
      "no proxy: give --url or FLUX_SUBPROCESS_URL, or --embedded N for a broker of its own",
      USAGE,
    );
  }
  const token = await readToken(tokenFile);
  return connect(url, { token, signer: await readSigner(signing, token), retry: RETRY });
}

/** The token's uid is only a default here: the proxy verifies the token. */
async function readSigner(
  { key, userid }: Pick<ConnectionOptions, "key" | "userid">,
  token: string,
): Promise<ClientSigner | undefined> {
  if (key === undefined) return undefined;
  const owner = userid ?? tokenUserid(token) ?? process.getuid?.();
  if (owner === undefined) throw new CliError("the user of the key is unknown: give --userid", USAGE);
  return curveSigner({ ...(await readCurveKey(key)), userid: owner });
}

function tokenUserid(token: string): number | undefined {
  try {
    const { uid } = decodeJwt(token);
    return typeof uid === "number" ? uid : undefined;
  } catch {
    return undefined;
  }
}

/** Never from an argument: every user sees those in the process table. */
async function readToken(file: string | undefined): Promise<string> {
  const token = file === undefined ? process.env["FLUX_SUBPROCESS_TOKEN"] : await readFile(file, "utf8");
  if (token?.trim()) return token.trim();
  if (file !== undefined) throw new CliError(`${file} has no token`);
  throw new CliError("no token: give --token-file or FLUX_SUBPROCESS_TOKEN", USAGE);
}
