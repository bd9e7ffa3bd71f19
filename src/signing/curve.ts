/** The mechanism "curve": Ed25519 over HEADER.PAYLOAD. RFC 39 does not describe it; the source is flux-security. */

import { func } from "../protocol/checks.js";
import { checkOptions, unchecked } from "../protocol/options.js";
import { toBase64 } from "../protocol/rfc42.js";
import { encoder } from "../protocol/utf8.js";
import {
  type CurveCertificate,
  certificateEntries,
  checkCertificate,
  plainCertificate,
} from "./curve-certificate.js";
import { type CurveKey, importCurveKey } from "./curve-key.js";
import type { KvValue } from "./kv.js";
import { checkUserid, signingInput } from "./signature.js";
import type { Signer } from "./signer.js";

/** Munge's default, in seconds. A request is used at once, but anyone who saw it can send it again until it expires. */
const DEFAULT_TTL = 300;

/** Options of `curveSigner`. */
export interface CurveSignerOptions {
  /** The user's private key. */
  key: CurveKey;
  /** The Flux userid that signs. */
  userid: number;
  /** The life of a signature, in seconds, a positive integer. The server's own `max-ttl` may be shorter. @default 300 */
  ttl?: number | undefined;
  /**
   * The user's certificate from `sig.pub`, equal to the server's byte for byte.
   * @default a certificate with the key and no other metadata
   */
  certificate?: CurveCertificate | undefined;
  /**
   * The clock, in milliseconds since 1970, for a caller of `sign` that does not know the verifier's clock. A session does: it
   * signs by the proxy's clock. A server refuses a signature from its future, without tolerance.
   * @default Date.now
   */
  now?: (() => number) | undefined;
}

/**
 * A signer with the mechanism "curve".
 * @param options the key, its user, and the life of a signature
 * @throws TypeError if the key cannot sign or is not the certificate's, or another option is wrong
 * @throws SignatureError if the certificate is malformed
 */
export async function curveSigner(options: CurveSignerOptions): Promise<Signer> {
  checkOptions("curveSigner", options, {
    key: unchecked,
    userid: unchecked,
    ttl: unchecked,
    certificate: unchecked,
    now: func,
  });
  const { ttl = DEFAULT_TTL, now = Date.now } = options;
  const userid = checkUserid(options.userid);
  if (!Number.isInteger(ttl) || ttl <= 0) throw new TypeError(`ttl ${ttl} is not a number of seconds`);
  const { privateKey, publicKey } = await importCurveKey(options.key);
  const certificate = checkCertificate(options.certificate ?? plainCertificate(publicKey));
  if (certificate.publicKey !== publicKey) throw new TypeError("certificate is of another key");
  const entries = certificateEntries(certificate);

  return {
    mechanism: "curve",
    userid,
    async sign(payload, at = now()) {
      const ctime = Math.floor(at / 1000);
      const input = signingInput("curve", userid, payload, [
        ...entries,
        ["curve.ctime", timestamp(ctime)],
        ["curve.xtime", timestamp(ctime + ttl)],
      ]);
      const signature = await crypto.subtle.sign("Ed25519", privateKey, encoder.encode(input));
      return `${input}.${toBase64(new Uint8Array(signature))}`;
    },
  };
}

const timestamp = (value: number): KvValue => ({ type: "t", value });
