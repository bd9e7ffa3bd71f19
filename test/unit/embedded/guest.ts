/** Users who sign requests, for tests of job shells. */
import { ROLE } from "../../../proxy/wire/message.js";
import { toBase64 } from "../../../src/protocol/rfc42.js";
import { curveSigner } from "../../../src/signing/curve.js";
import { type CurveCertificate, plainCertificate } from "../../../src/signing/curve-certificate.js";
import type { Signer } from "../../../src/signing/signer.js";
import { DECODED, type FakeMunged, message } from "../proxy/signing/fake-munged.js";

export interface Guest {
  userid: number;
  certificate: CurveCertificate;
  /** Signs with the guest's key, as the guest or as whoever else. */
  signer(options?: { userid?: number; ttl?: number; now?: () => number }): Promise<Signer>;
}

export async function createGuest(userid: number): Promise<Guest> {
  const key = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
  const publicKey = toBase64(new Uint8Array(await crypto.subtle.exportKey("raw", key.publicKey)));
  return {
    userid,
    certificate: plainCertificate(publicKey),
    signer: (options) => curveSigner({ key, userid, ...options }),
  };
}

/** The fields of a message by which the owner of a connection names a guest. */
export const asGuest = (userid: number) => ({ userid, rolemask: ROLE.user });

/** A "credential" that {@link answerAsMunged} understands: who made it, when, and over what. */
export function credential(uid: number, encodeTime: number, payload: Uint8Array): string {
  return `MUNGE:${uid}-${encodeTime}-${Buffer.from(payload).toString("hex")}:`;
}

/** The answer of a munged to the last request that it was sent. */
export function answerAsMunged({ requests }: FakeMunged): Buffer {
  const [, uid, time, hex] = /MUNGE:(\d+)-(\d+)-(\w+):/.exec(requests.at(-1)?.toString("latin1") ?? "") ?? [];
  if (hex === undefined) return DECODED.invalid;
  const payload = Buffer.from(hex, "hex");
  const body = Buffer.concat([DECODED.success.subarray(11, -9), Buffer.alloc(4), payload]);
  body.writeUInt32BE(Number(time), 15);
  body.writeUInt32BE(Number(uid), body.length - payload.length - 20);
  body.writeUInt32BE(payload.length, body.length - payload.length - 4);
  return message(5, body);
}
