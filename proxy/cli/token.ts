/** `token`: an access token, signed with a key of `keygen`. */
import { type Command, InvalidArgumentError } from "commander";
import type { Jwk } from "../auth/jwk.js";
import { signToken } from "../auth/keys.js";
import { ACTIONS, DEFAULT_ACTIONS } from "../auth/permissions.js";
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

/** Adds the command `token`. @param end takes the exit code */
export function addToken(program: Command, end: (code: number) => void): void {
  program
    .command("token")
    .description("print a token; its bearer may act as its user, within its scope")
    .requiredOption("--key <FILE>", "the private JWK, from keygen")
    .requiredOption("--issuer <ISS>", "its issuer, as the proxy expects it")
    .requiredOption("--audience <AUD>", "its audience, as the proxy expects it")
    .requiredOption("--sub <NAME>", "its subject, the user or the program that it is for")
    .option("--uid <UID>", "the subject's userid in Flux (default: yours)", userid)
    .option(
      "--scope <ACTIONS>",
      "the actions that it allows, separated by spaces; rpc allows attr.get and attr.list, unless --details has topics",
      scope,
      DEFAULT_ACTIONS.join(" "),
    )
    .option("--details <FILE>", "RFC 9396 authorization_details, a JSON array: they restrict the actions")
    .option("--jkt <THUMBPRINT>", "bind it to the key with this RFC 7638 thumbprint")
    .option("--ttl <SECONDS>", "its lifetime", positiveInteger, 3600)
    .action(async ({ key, sub, uid, details, ttl, ...claims }: TokenOptions) => {
      const token = await signToken((await readJson(key)) as Jwk, {
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

/** A proxy ignores unknown words, since an issuer's tokens may have words for other servers. Here an unknown word is a typing error. */
function scope(text: string): string {
  const unknown = text.split(" ").find((word) => !ACTIONS.some((action) => action === word));
  if (unknown === undefined) return text;
  throw new InvalidArgumentError(`The actions are ${ACTIONS.join(", ")}, not "${unknown}".`);
}

async function readDetails(file: string): Promise<object[]> {
  const details = await readJson(file);
  if (!Array.isArray(details)) throw new CliError(`${file} is not an array`);
  return details;
}
