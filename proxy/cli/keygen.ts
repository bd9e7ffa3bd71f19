/** `keygen`: a key pair. For tokens, or for signing requests. */
import { chmod, mkdir, unlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { plainCertificate } from "../../src/signing/curve-certificate.js";
import { formatCertificateFile, formatSecretFile } from "../../src/signing/curve-files.js";
import { importCurveKey } from "../../src/signing/curve-key.js";
import { generateKeys } from "../auth/keys.js";
import { CliError, USAGE } from "./errors.js";

/** The algorithms that a proxy accepts by default. */
const ALGORITHMS = ["EdDSA", "ES256", "RS256", "PS256"];

const SECRET = 0o600;
const PUBLIC = 0o644;

interface KeygenOptions {
  private?: string;
  jwks?: string;
  alg: string;
  curve?: true;
  curveDir?: string;
}

interface NewFile {
  path: string;
  text: string;
  mode: number;
}

/** Adds the command `keygen`. @param end takes the exit code */
export function addKeygen(program: Command, end: (code: number) => void): void {
  program
    .command("keygen")
    .description("make a key pair, for your own tokens or to sign requests; it never overwrites a file")
    .option("--private <FILE>", "the file for the private JWK; only you may read it")
    .option("--jwks <FILE>", "the file for the JWK Set, which the proxy reads")
    .addOption(new Option("--alg <NAME>", "the signature algorithm").choices(ALGORITHMS).default("EdDSA"))
    .option(
      "--curve",
      "in place of these: make a key to sign requests with, in Flux's files; --private adds its JWK",
    )
    .option(
      "--curve-dir <DIR>",
      "the directory of those files, sig (secret) and sig.pub (default: ~/.flux/curve)",
    )
    .action(async (options: KeygenOptions) => {
      await writeAll(options.curve ? await curveFiles(options) : await tokenFiles(options));
      end(0);
    });
}

async function tokenFiles({ private: path, jwks, alg, curveDir }: KeygenOptions): Promise<NewFile[]> {
  if (curveDir !== undefined) throw new CliError("--curve-dir is for --curve", USAGE);
  if (path === undefined || jwks === undefined)
    throw new CliError("give --private and --jwks, or --curve for a key to sign requests with", USAGE);
  const keys = await generateKeys(alg);
  return [
    { path, text: json(keys.privateJwk), mode: SECRET },
    { path: jwks, text: json(keys.jwks), mode: PUBLIC },
  ];
}

async function curveFiles({ private: path, jwks, alg, curveDir }: KeygenOptions): Promise<NewFile[]> {
  if (jwks !== undefined) throw new CliError("--jwks has no use with --curve", USAGE);
  if (alg !== "EdDSA") throw new CliError("--curve makes a key of EdDSA only", USAGE);
  const directory = curveDir ?? join(homedir(), ".flux", "curve");
  const { privateJwk } = await generateKeys("EdDSA");
  const { publicKey } = await importCurveKey(privateJwk);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return [
    ...(path === undefined ? [] : [{ path, text: json(privateJwk), mode: SECRET }]),
    { path: join(directory, "sig"), text: formatSecretFile(privateJwk), mode: SECRET },
    {
      path: join(directory, "sig.pub"),
      text: formatCertificateFile(plainCertificate(publicKey)),
      mode: PUBLIC,
    },
  ];
}

/** All files or nothing: half a pair is useless, and would block the next try. */
async function writeAll(files: readonly NewFile[]): Promise<void> {
  const written: string[] = [];
  try {
    for (const { path, text, mode } of files) {
      await writeFile(path, text, { mode, flag: "wx" });
      written.push(path);
      // The umask may have removed bits.
      await chmod(path, mode);
    }
  } catch (error) {
    for (const path of written) await unlink(path);
    throw error;
  }
}

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
