/** Keys for the verification of tokens, from a set, a file or a URL. A file or a URL gives new keys without a restart. */
import { readFile, stat } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import type { JwkSet } from "./jwk.js";
import { publicKeys } from "./jwks.js";

/** The largest JWK Set, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** In milliseconds: a request's limit, the least time between fetches for unknown keys, the age at which a set is fetched anew. */
const REMOTE = { timeoutDuration: 5000, cooldownDuration: 30_000, cacheMaxAge: 600_000 };

/** The pause after a request that failed, in milliseconds. */
const RETRY_AFTER = 1000;

/** Called if keys cannot be read. The keys from before stay in use. */
export type OnFault = (error: unknown) => void;

/** Keys cannot be fetched. This says nothing about the token. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/**
 * @param source a JWK Set; the path of a file with one, which is reread when it changes; or the URL of one, which is fetched anew
 * every ten minutes and for an unknown key, the latter at most twice a minute
 * @throws TypeError if the set or the file cannot be used, or the URL is neither https nor of this machine
 */
export async function keySource(source: JwkSet | string | URL, onFault: OnFault): Promise<JWTVerifyGetKey> {
  if (source instanceof URL || (typeof source === "string" && /^https?:/i.test(source))) {
    return remoteKeys(new URL(source), onFault);
  }
  if (typeof source === "string") return fileKeys(source, onFault);
  return createLocalJWKSet(await publicKeys(source));
}

async function fileKeys(path: string, onFault: OnFault): Promise<JWTVerifyGetKey> {
  let version = await versionOf(path);
  let keys = createLocalJWKSet(await readKeys(path));
  /** Defined while the file is read, so that tokens which arrive meanwhile share one read. */
  let update: Promise<void> | undefined;
  const reread = async () => {
    const current = await versionOf(path);
    if (current === version) return;
    // Set before the read: a file that is unusable is not read again before it changes.
    version = current;
    try {
      keys = createLocalJWKSet(await readKeys(path));
    } catch (error) {
      onFault(error);
    }
  };
  return async (header, token) => {
    update ??= reread().finally(() => {
      update = undefined;
    });
    await update;
    return keys(header, token);
  };
}

/** A text that changes with the file; "" if the file does not exist. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join();
  } catch {
    return "";
  }
}

async function readKeys(path: string): Promise<JwkSet> {
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

/** Leaves out the parser's message: it quotes the file, which may have a private key. */
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
  /** The last request's failure; undefined after a success. */
  let failure: { at: number; error: unknown } | undefined;
  const get = async (address: string, init: RequestInit) => {
    if (failure !== undefined && performance.now() < failure.at + RETRY_AFTER) throw failure.error;
    try {
      const response = await boundedFetch(address, init);
      failure = undefined;
      return response;
    } catch (cause) {
      const error = new KeysUnavailable(`jwks cannot be fetched from ${url.origin}`, { cause });
      failure = { at: performance.now(), error };
      onFault(error);
      throw error;
    }
  };
  return createRemoteJWKSet(url, { ...REMOTE, [customFetch]: get });
}

const isLoopback = (host: string) => host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);

/** @throws if the answer is not 200, not a set of usable keys, or over `MAX_BYTES` */
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
