/** `token`: an access token, signed with a key of `keygen`. */
import { type Command, InvalidArgumentError } from "commander";
import type { JWK } from "jose";
import { signToken } from "../auth/keys.js";
import { ACTIONS } from "../auth/permissions.js";
import { CliError } from "./errors.js";
import { readJson } from "./files.js";
import { positiveInteger, userid } from "./parse.js";

interface TokenOptions {
  key: string;
  issuer: string;
  audience: string;
  sub: string;
  uid?: number;
  scope: string;
  details?: string;
  jkt?: string;
  ttl: number;
}

export function addToken(program: Command, end: (code: number) => void): void {
  program
    .command("token")
    .description("print a token, which lets whoever has it do what it allows, in the name of its user")
    .requiredOption("--key <FILE>", "the private JWK, from keygen")
    .requiredOption("--issuer <ISS>", "its issuer, as the proxy expects it")
    .requiredOption("--audience <AUD>", "its audience, as the proxy expects it")
    .requiredOption("--sub <NAME>", "its subject: who the token is for")
    .option("--uid <UID>", "the subject's userid in Flux (default: yours)", userid)
    .option(
      "--scope <ACTIONS>",
      "what it allows, with spaces between; rpc is attr.get and attr.list, unless --details has topics",
      scope,
      ACTIONS.join(" "),
    )
    .option("--details <FILE>", "RFC 9396 authorization_details, a JSON array: what of it, and on what")
    .option("--jkt <THUMBPRINT>", "bind it to the key with this RFC 7638 thumbprint")
    .option("--ttl <SECONDS>", "how long it is good for", positiveInteger, 3600)
    .action(async ({ key, sub, uid, details, ttl, ...claims }: TokenOptions) => {
      const token = await signToken((await readJson(key)) as JWK, {
        ...claims,
        subject: sub,
        userid: uid,
        details: details === undefined ? undefined : await readDetails(details),
        ttlSeconds: ttl,
      });
      process.stdout.write(`${token}\n`);
      end(0);
    });
}

/** A proxy passes over words that it does not know, as an issuer's tokens have for others. Here they are mistyped. */
function scope(text: string): string {
  const unknown = text.split(" ").find((word) => !ACTIONS.some((action) => action === word));
  if (unknown === undefined) return text;
  throw new InvalidArgumentError(`It is of ${ACTIONS.join(" ")}, not "${unknown}".`);
}

async function readDetails(file: string): Promise<object[]> {
  const details = await readJson(file);
  if (!Array.isArray(details)) throw new CliError(`${file} is not an array`);
  return details;
}
