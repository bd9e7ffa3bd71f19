/**
 * flux-security's files for a user's key: `~/.flux/curve/sig.pub`, the certificate, and `~/.flux/curve/sig`, the secret, which
 * only the user may read (mode 0600). Both are TOML. This module writes them as flux-security does, and reads the part of TOML
 * that they need: tables, bare keys, and scalars on one line, strings without escapes.
 */
import { fromBase64, toBase64 } from "../protocol/rfc42.js";
import { type CurveCertificate, checkCertificate, decodeExact } from "./curve-certificate.js";
import type { CurveJwk } from "./curve-key.js";
import { formatKvValue, type KvMap, type KvValue } from "./kv.js";

/**
 * Formats `sig.pub`.
 * @param certificate the user's certificate
 * @returns the file's text
 * @throws TypeError if a metadata key or value cannot be written in such a file
 */
export function formatCertificateFile({ metadata, publicKey, signature }: CurveCertificate): string {
  const lines = ["[metadata]"];
  for (const [key, value] of metadata) lines.push(formatLine(key, value));
  lines.push("", "[curve]", formatLine("public-key", { type: "s", value: publicKey }));
  if (signature !== undefined) lines.push(formatLine("signature", { type: "s", value: signature }));
  return `${lines.join("\n")}\n`;
}

/**
 * Reads `sig.pub`.
 * @param toml the file's text
 * @throws TypeError naming the fault, and its line if it has one
 */
export function parseCertificateFile(toml: string): CurveCertificate {
  const tables = parseTables(toml);
  const metadata = tables.get("metadata");
  const curve = tables.get("curve");
  if (metadata === undefined || curve === undefined) {
    throw new TypeError("certificate file has no [metadata] or no [curve]");
  }
  const publicKey = stringOf(curve, "public-key");
  const signature = curve.has("signature") ? stringOf(curve, "signature") : undefined;
  return asTypeError(() => checkCertificate({ metadata, publicKey, signature }));
}

/**
 * Formats `sig`.
 * @param jwk an Ed25519 key with `d` and `x`
 * @returns the file's text. Secret: write it with mode 0600
 * @throws TypeError if `jwk` is not a private key
 */
export function formatSecretFile({ d, x }: CurveJwk): string {
  if (!d || !x) throw new TypeError("not a private JWK with d and x");
  const bytes = Uint8Array.from([...fromBase64(fromBase64Url(d)), ...fromBase64(fromBase64Url(x))]);
  if (bytes.length !== 64) throw new TypeError("not an Ed25519 key");
  return `[curve]\n${formatLine("secret-key", { type: "s", value: toBase64(bytes) })}\n`;
}

/**
 * Reads `sig`.
 * @param toml the file's text
 * @returns the key, for `curveSigner`
 * @throws TypeError naming the fault, without the key
 */
export function parseSecretFile(toml: string): CurveJwk {
  const secret = stringOf(parseTables(toml).get("curve") ?? new Map(), "secret-key");
  const bytes = asTypeError(() => decodeExact(secret, "secret-key", 64));
  const [d, x] = [bytes.subarray(0, 32), bytes.subarray(32)].map((half) => toBase64Url(toBase64(half)));
  return { kty: "OKP", crv: "Ed25519", d, x };
}

const TABLE = /^\[\s*([\w-]+)\s*\]$/;
const PAIR = /^([\w-]+)\s*=\s*("[^"\\\p{Cc}]*"|[^\s"#]+)$/u;
/** A "#" within a string does not start a comment. */
const COMMENT = /^((?:[^"#]|"[^"]*")*)#.*$/;

function parseTables(toml: string): Map<string, Map<string, KvValue>> {
  const tables = new Map<string, Map<string, KvValue>>();
  let table: Map<string, KvValue> | undefined;
  for (const [index, whole] of toml.split(/\r?\n/).entries()) {
    const line = whole.replace(COMMENT, "$1").trim();
    if (line === "") continue;
    const title = TABLE.exec(line)?.[1];
    if (title !== undefined && !tables.has(title)) {
      table = new Map();
      tables.set(title, table);
      continue;
    }
    const [, key, scalar] = PAIR.exec(line) ?? [];
    const value = scalar && parseScalar(scalar);
    if (table === undefined || key === undefined || !value || table.has(key)) {
      throw new TypeError(`line ${index + 1} is not understood`);
    }
    table.set(key, value);
  }
  return tables;
}

function parseScalar(scalar: string): KvValue | undefined {
  let value: KvValue;
  if (scalar.startsWith('"')) value = { type: "s", value: scalar.slice(1, -1) };
  else if (scalar === "true" || scalar === "false") value = { type: "b", value: scalar === "true" };
  else if (/^-?(0|[1-9]\d*)$/.test(scalar)) value = { type: "i", value: BigInt(scalar) };
  else if (/^-?(0|[1-9]\d*)\.\d+$/.test(scalar)) value = { type: "d", value: Number(scalar) };
  else if (/^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(scalar)) value = { type: "t", value: Date.parse(scalar) / 1000 };
  else return undefined;
  return formatKvValue(value) === undefined ? undefined : value;
}

function formatLine(key: string, value: KvValue): string {
  const written = formatKvValue(value);
  const scalar = value.type === "s" ? `"${written}"` : `${written}`;
  const line = `${key} = ${scalar}`;
  if (written === undefined || !PAIR.test(line) || parseScalar(scalar) === undefined) {
    throw new TypeError(`metadata ${JSON.stringify(key)} cannot be in a certificate file`);
  }
  return `    ${line}`;
}

function stringOf(table: KvMap, key: string): string {
  const entry = table.get(key);
  if (entry?.type !== "s") throw new TypeError(`file has no ${key} in [curve]`);
  return entry.value;
}

function asTypeError<T>(check: () => T): T {
  try {
    return check();
  } catch (cause) {
    throw new TypeError((cause as Error).message, { cause });
  }
}

const fromBase64Url = (text: string): string => text.replaceAll("-", "+").replaceAll("_", "/");
const toBase64Url = (text: string): string =>
  text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
