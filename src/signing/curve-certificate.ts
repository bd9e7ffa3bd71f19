/** Certificates of the mechanism "curve": a public key, metadata, and optionally a CA's signature over both. */
import { toBase64 } from "../protocol/rfc42.js";
import { encodeKv, type KvMap, type KvValue } from "./kv.js";
import { decodeBase64, headerValue, SignatureError } from "./signature.js";

/** A user's certificate, as flux-security has it in `sig.pub`. */
export interface CurveCertificate {
  /** In the file's order: two certificates with different orders are different. */
  readonly metadata: KvMap;
  /** Standard base64 of the 32 bytes. */
  readonly publicKey: string;
  /** The CA's signature, standard base64 of the 64 bytes. */
  readonly signature?: string | undefined;
}

/** Bytes of an Ed25519 signature (RFC 8032). */
export const SIGNATURE_SIZE = 64;
const PUBLIC_KEY_SIZE = 32;
const METADATA = "curve.cert.meta.";
const PUBLIC_KEY = "curve.cert.curve.public-key";
const SIGNATURE = "curve.cert.curve.signature";

/** A certificate with a key and its algorithm alone. */
export function plainCertificate(publicKey: string): CurveCertificate {
  return { metadata: new Map([["algorithm", { type: "s", value: "ed25519" }]]), publicKey };
}

/** @throws SignatureError if a key or signature is not base64 of its size */
export function checkCertificate(certificate: CurveCertificate): CurveCertificate {
  decodeExact(certificate.publicKey, "certificate public key", PUBLIC_KEY_SIZE);
  if (certificate.signature !== undefined) {
    decodeExact(certificate.signature, "certificate signature", SIGNATURE_SIZE);
  }
  return certificate;
}

/** @throws SignatureError if `base64` does not encode `size` bytes */
export function decodeExact(base64: string, what: string, size: number): Uint8Array {
  const bytes = decodeBase64(base64, what);
  if (bytes.length !== size) throw new SignatureError(`${what} is not ${size} bytes`);
  return bytes;
}

/** The entries of a signature's header that carry a certificate. */
export function certificateEntries(certificate: CurveCertificate): [string, KvValue][] {
  const entries: [string, KvValue][] = [];
  for (const [key, value] of certificate.metadata) entries.push([METADATA + key, value]);
  entries.push([PUBLIC_KEY, { type: "s", value: certificate.publicKey }]);
  if (certificate.signature !== undefined) {
    entries.push([SIGNATURE, { type: "s", value: certificate.signature }]);
  }
  return entries;
}

/** The certificate in a signature's header. @throws SignatureError if the header has no valid certificate */
export function certificateOf(header: KvMap): CurveCertificate {
  const metadata = new Map<string, KvValue>();
  for (const [key, value] of header) {
    if (key.startsWith(METADATA)) metadata.set(key.slice(METADATA.length), value);
  }
  return checkCertificate({
    metadata,
    publicKey: headerValue(header, PUBLIC_KEY, "s"),
    signature: header.has(SIGNATURE) ? headerValue(header, SIGNATURE, "s") : undefined,
  });
}

/** True if two certificates have the same key and metadata. As in flux-security, a CA's signature does not count. */
export function sameCertificate(one: CurveCertificate, other: CurveCertificate): boolean {
  return identity(one) === identity(other);
}

function identity({ metadata, publicKey }: CurveCertificate): string {
  return toBase64(encodeKv(certificateEntries({ metadata, publicKey })));
}
