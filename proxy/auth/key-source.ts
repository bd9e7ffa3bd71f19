/** Where the keys come from that tokens are verified with, and how new ones are noticed. */
import { readFile, stat } from "node:fs/promises";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import { publicKeys } from "./jwks.js";

/** The largest JWK Set that is read, in bytes. */
const MAX_BYTES = 1024 * 1024;

const REMOTE = { timeoutDuration: 5000, cooldownDuration: 30_000, cacheMaxAge: 600_000 };

/** How long a server that failed is left alone, in milliseconds. */
const RETRY_AFTER = 1000;

/** Told of keys that cannot be had, while older ones go on being used. */
export type OnFault = (error: unknown) => void;

/** Keys that cannot be had; it says nothing of the token. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/**
 * The keys of a JWK Set; of the file at a path, reread when it changes; or of the server at a URL, asked again
 * every ten minutes and, not more than twice a minute, for a key that is not known.
 * @throws TypeError if the set or the file cannot be used, or the URL is neither https nor of this machine
 */
export async function keySource(
  source: JSONWebKeySet | string | URL,
  onFault: OnFault,
): Promise<JWTVerifyGetKey> {
  if (source instanceof URL || (typeof source === "string" && /^https?:/i.test(source))) {
    return remoteKeys(new URL(source), onFault);
  }
  if (typeof source === "string") return fileKeys(source, onFault);
  return createLocalJWKSet(await publicKeys(source));
}

async function fileKeys(path: string, onFault: OnFault): Promise<JWTVerifyGetKey> {
  let version = await versionOf(path);
  let keys = createLocalJWKSet(await readKeys(path));
  let rereading: Promise<void> | undefined;
  const reread = async () => {
    const found = await versionOf(path);
    if (found === version) return;
    // Not tried again before it changes again.
    version = found;
    try {
      keys = createLocalJWKSet(await readKeys(path));
    } catch (error) {
      onFault(error);
    }
  };
  return async (header, token) => {
    rereading ??= reread().finally(() => {
      rereading = undefined;
    });
    await rereading;
    return keys(header, token);
  };
}

/** Differs when a file has changed. "" if there is none. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return "";
  }
}

async function readKeys(path: string): Promise<JSONWebKeySet> {
  return publicKeys(parse(path, await readBounded(path)));
}

async function readBounded(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > MAX_BYTES) throw new RangeError(`it has over ${MAX_BYTES} bytes`);
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TypeError(`jwks cannot be read from ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Without the words of the parser: they quote a file that may have a private key. */
function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError(`jwks cannot be read from ${path}: it is not JSON`);
  }
}

function remoteKeys(url: URL, onFault: OnFault): JWTVerifyGetKey {
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new TypeError("jwks has a URL that is not https");
  }
  if (url.username !== "" || url.password !== "") throw new TypeError("jwks has a URL with a password");
  let failed: { at: number; error: unknown } | undefined;
  const get = async (address: string, init: RequestInit) => {
    if (failed !== undefined && performance.now() < failed.at + RETRY_AFTER) throw failed.error;
    try {
      const response = await boundedFetch(address, init);
      failed = undefined;
      return response;
    } catch (cause) {
      const error = new KeysUnavailable(`jwks cannot be fetched from ${url.origin}`, { cause });
      failed = { at: performance.now(), error };
      onFault(error);
      throw error;
    }
  };
  return createRemoteJWKSet(url, { ...REMOTE, [customFetch]: get });
}

const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);

/** @throws if the answer is not 200, not a set of usable keys, or longer than one may be */
async function boundedFetch(address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  if (response.status !== 200) throw new TypeError(`the server answered ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new RangeError(`the answer has over ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Response.json(await publicKeys(JSON.parse(Buffer.concat(chunks).toString())));
}
