/** `token`: a JWT, signed with a key of `keygen`. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { JWK } from "jose";
import { signToken } from "../auth/keys.js";
import { CliError } from "./errors.js";
import { positiveInteger } from "./parse.js";

interface TokenOptions {
  key: string;
  issuer: string;
  audience: string;
  sub: string;
  ttl: number;
}

export function addToken(program: Command, end: (code: number) => void): void {
  program
    .command("token")
    .description("print a token, which lets whoever has it do what the proxy's user may")
    .requiredOption("--key <FILE>", "the private JWK, from keygen")
    .requiredOption("--issuer <ISS>", "its issuer, as the proxy expects it")
    .requiredOption("--audience <AUD>", "its audience, as the proxy expects it")
    .requiredOption("--sub <NAME>", "its subject: who the token is for")
    .option("--ttl <SECONDS>", "how long it is good for", positiveInteger, 3600)
    .action(async ({ key, issuer, audience, sub, ttl }: TokenOptions) => {
      const token = await signToken(await readKey(key), { issuer, audience, subject: sub, ttlSeconds: ttl });
      process.stdout.write(`${token}\n`);
      end(0);
    });
}

async function readKey(file: string): Promise<JWK> {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text) as JWK;
  } catch {
    // The parser's own message would quote from the key.
    throw new CliError(`${file} is not JSON`);
  }
}
