/** Reads the files that options name. An error is one line. */
import { readFile, stat } from "node:fs/promises";
import type { CurveSignerOptions } from "../../src/signing/curve.js";
import { parseCertificateFile, parseSecretFile } from "../../src/signing/curve-files.js";
import { CliError } from "./errors.js";

/** The value in a JSON file. The parser's own message would quote from it. */
export async function readJson(file: string): Promise<unknown> {
  return parseJson(await readFile(file, "utf8"), file);
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(`${file} is not JSON`);
  }
}

/** A secret. Only its owner may have the right to read it. */
async function readSecret(file: string): Promise<Buffer> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) throw new CliError(`${file} is a secret that others may read: chmod 600 it`);
  return readFile(file);
}

/** A secret, text or bytes. The newline that an editor adds to a text is not a part of it. */
export async function readSharedSecret(file: string): Promise<Buffer> {
  const secret = await readSecret(file);
  const isLine =
    secret.at(-1) === 0x0a && secret.subarray(0, -1).every((byte) => byte >= 0x20 && byte < 0x7f);
  return isLine ? secret.subarray(0, -1) : secret;
}

/**
 * A key to sign requests with: a private JWK, a PEM, or a `sig` of Flux with the certificate in the file of the same
 * name and ".pub", if there is one.
 */
export async function readCurveKey(file: string): Promise<Pick<CurveSignerOptions, "key" | "certificate">> {
  const text = (await readSecret(file)).toString();
  if (text.trimStart().startsWith("{")) return { key: parseJson(text, file) as CurveSignerOptions["key"] };
  if (text.includes("-----BEGIN")) return { key: text };
  const certificate = await readFile(`${file}.pub`, "utf8").catch(() => undefined);
  return {
    key: parseSecretFile(text),
    certificate: certificate === undefined ? undefined : parseCertificateFile(certificate),
  };
}
