/** Ed25519 keys for the mechanism "curve", in the usual forms. */
import { toBase64 } from "../protocol/rfc42.js";

/** A private key as a JWK (RFC 8037). Other members are ignored. */
export interface CurveJwk {
  /** "OKP". */
  readonly kty?: string | undefined;
  /** "Ed25519". */
  readonly crv?: string | undefined;
  /** The secret seed, base64url. */
  readonly d?: string | undefined;
  /** The public key, base64url. */
  readonly x?: string | undefined;
}

/** WebCrypto's CryptoKey. @types/node has no global of that name. */
export type WebCryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** WebCrypto's CryptoKeyPair. */
export interface WebCryptoKeyPair {
  /** The secret half. */
  readonly privateKey: WebCryptoKey;
  /** The public half. */
  readonly publicKey: WebCryptoKey;
}

/**
 * An Ed25519 private key: a JWK, the PEM text of a PKCS #8 key, a WebCrypto pair, or an extractable WebCrypto private key.
 * The private half of a pair need not be extractable.
 */
export type CurveKey = CurveJwk | string | WebCryptoKeyPair | WebCryptoKey;

/** A key in the form that signing needs. */
export interface ImportedKey {
  readonly privateKey: CryptoKey;
  /** Standard base64 of the 32 bytes. */
  readonly publicKey: string;
}

const ALGORITHM = "Ed25519";

/** @throws TypeError if `key` cannot sign. The message has no part of the key */
export async function importCurveKey(key: CurveKey): Promise<ImportedKey> {
  // Browsers have no crypto.subtle outside of a secure context.
  if (globalThis.crypto?.subtle === undefined) {
    throw new TypeError("WebCrypto is missing: a page must come over https to sign");
  }
  try {
    if (typeof key === "string") return await importJwk(await exportJwk(await importPem(key)));
    if ("privateKey" in key) return await importPair(key);
    if (!("algorithm" in key)) return await importJwk(key);
    if (!key.extractable) throw new TypeError("its public half is missing: pass the pair");
    return await importJwk(await exportJwk(key));
  } catch (cause) {
    throw new TypeError(`key cannot sign: ${(cause as Error).message || (cause as Error).name}`, { cause });
  }
}

function importPem(pem: string): Promise<CryptoKey> {
  const base64 = /^\s*-----BEGIN PRIVATE KEY-----([\w+/=\s]+)-----END PRIVATE KEY-----\s*$/.exec(pem)?.[1];
  if (base64 === undefined) throw new TypeError("not the PEM text of a PKCS #8 key");
  const der = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return crypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]);
}

const exportJwk = (key: CryptoKey): Promise<CurveJwk> => crypto.subtle.exportKey("jwk", key);

async function importJwk({ kty, crv, d, x }: CurveJwk): Promise<ImportedKey> {
  if (kty !== "OKP" || crv !== ALGORITHM) throw new TypeError("not an Ed25519 key");
  if (!d || !x) throw new TypeError("not a private JWK with d and x");
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey("jwk", { kty, crv, d, x }, ALGORITHM, false, ["sign"]),
    crypto.subtle.importKey("jwk", { kty, crv, x }, ALGORITHM, true, ["verify"]),
  ]);
  return importPair({ privateKey, publicKey });
}

/** Signs and verifies once: with halves of two pairs, every later request would be refused. */
async function importPair({ privateKey, publicKey }: CryptoKeyPair): Promise<ImportedKey> {
  const probe = new Uint8Array(0);
  const signature = await crypto.subtle.sign(ALGORITHM, privateKey, probe);
  if (!(await crypto.subtle.verify(ALGORITHM, publicKey, signature, probe))) {
    throw new TypeError("its public half is another key's");
  }
  return { privateKey, publicKey: toBase64(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey))) };
}
