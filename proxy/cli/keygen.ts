/** `keygen`: a key pair, the private half for `token` and the public one for the proxy. */
import { unlink, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { generateKeys } from "../auth/keys.js";

/** Those that a proxy takes by default. */
const ALGORITHMS = ["EdDSA", "ES256", "RS256", "PS256"];

export function addKeygen(program: Command, end: (code: number) => void): void {
  program
    .command("keygen")
    .description("make a key pair, for tokens of your own; files are never overwritten")
    .requiredOption("--private <FILE>", "the file for the private JWK; only you may read it")
    .requiredOption("--jwks <FILE>", "the file for the JWK Set, which the proxy reads")
    .addOption(new Option("--alg <NAME>", "the signature algorithm").choices(ALGORITHMS).default("EdDSA"))
    .action(async (options: { private: string; jwks: string; alg: string }) => {
      const { privateJwk, jwks } = await generateKeys(options.alg);
      await writeNew(options.private, privateJwk, 0o600);
      try {
        await writeNew(options.jwks, jwks, 0o644);
      } catch (error) {
        // Half a pair is of no use, and would be in the way of the next try.
        await unlink(options.private);
        throw error;
      }
      end(0);
    });
}

async function writeNew(file: string, value: object, mode: number): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`, { mode, flag: "wx" });
}
