/**
 * The mechanism "curve": Ed25519 over HEADER.PAYLOAD. RFC 39 does not describe it; this is what flux-security
 * does.
 */

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

/** As munge's. A request is used at once; until it expires, whoever has seen it can send it again. */
const DEFAULT_TTL = 300;

export interface CurveSignerOptions {
  key: CurveKey;
  /** The user whose key it is. */
  userid: number;
  /** How long a signature is good for, in seconds. Default 300. The server's own `max-ttl` may be shorter. */
  ttl?: number | undefined;
  /**
   * The user's certificate, where it is more than a key: `sig.pub`. It must agree with the server's to the
   * byte.
   */
  certificate?: CurveCertificate | undefined;
  /**
   * The clock for who does not know the verifier's, in milliseconds since 1970. Default Date.now. A server refuses
   * what was signed in its future, with no leeway; a session knows the proxy's clock and signs by that.
   */
  now?: (() => number) | undefined;
}

/**
 * @throws TypeError if the key cannot be used, is not the certificate's, or another option cannot be
 * @throws SignatureError if the certificate is malformed
 */
export async function curveSigner(options: CurveSignerOptions): Promise<Signer> {
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
