import { createHash } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { mungeSigner, mungeVerify } from "../../../../proxy/signing/munge.js";
import { FluxError } from "../../../../src/errors.js";
import { parseSignature, SignatureError } from "../../../../src/signing/signature.js";
import { vector } from "../../src/signing/vectors.js";
import { DECODED, type FakeMunged, fakeMunged, message, say } from "./fake-munged.js";

const { userid, payload, signature_string: recorded } = vector("munge");
const credential = recorded.split(".")[2] as string;
const parsed = parseSignature(recorded);
/** The payload of the munge credential: 0x01 and the hash of HEADER.PAYLOAD (RFC 39). */
const attested = Buffer.concat([Buffer.of(1), createHash("sha256").update(parsed.input).digest()]);
const ENCODE_TIME = 1795350876;

let fake: FakeMunged | undefined;
afterEach(async () => {
  await fake?.close();
  fake = undefined;
});

/** A munged that has found `payload` in a credential of `uid`'s. */
const decoded = (uid: number, content: Uint8Array) => {
  const body = Buffer.concat([DECODED.success.subarray(11, -9), Buffer.alloc(4), content]);
  body.writeUInt32BE(uid, body.length - content.length - 20);
  body.writeUInt32BE(content.length, body.length - content.length - 4);
  return say(message(5, body));
};

describe("mungeSigner", () => {
  test("makes the signature of flux-security", async () => {
    const text = Buffer.from(`${credential}\0`);
    const body = Buffer.concat([Buffer.alloc(6), text]);
    body.writeUInt32BE(text.length, 2);
    fake = await fakeMunged(say(message(3, body)));
    const signer = mungeSigner({ userid, socket: fake.socket });
    expect(signer).toMatchObject({ mechanism: "munge", userid });
    expect(await signer.sign(payload)).toBe(recorded);
    expect(fake.requests[0]?.subarray(-33)).toEqual(attested);
  });

  test("refuses what is no userid", () => {
    expect(() => mungeSigner({ userid: -1 })).toThrow(TypeError);
  });

  test("fails as munged does", async () => {
    const signer = mungeSigner({ userid, socket: "/nonexistent/munge.socket" });
    await expect(signer.sign(payload)).rejects.toThrow(FluxError);
  });
});

describe("mungeVerify", () => {
  const verify = async (script: ReturnType<typeof say>, options = {}, text = recorded) => {
    fake = await fakeMunged(script);
    await mungeVerify(parseSignature(text), {
      userid,
      socket: fake.socket,
      maxTtl: 3600,
      now: () => ENCODE_TIME * 1000,
      ...options,
    });
  };

  test.each([0, 300, 3600])("accepts the user's own %d s later", async (seconds) => {
    await verify(decoded(userid, attested), { now: () => (ENCODE_TIME + seconds) * 1000 });
    expect(fake?.requests[0]?.toString()).toContain(credential);
  });

  test.each<[string, ReturnType<typeof say>, object, string, string]>([
    ["another user's credential", decoded(1001, attested), {}, recorded, "of user 1001, not of 1000"],
    ["another user's claim", decoded(1000, attested), { userid: 1001 }, recorded, "of user 1000, not of 1001"],
    ["another request", decoded(userid, attested), {}, recorded.replace(".eyJj", ".eyJk"), "another request"],
    ["another hash type", decoded(userid, Buffer.concat([Buffer.of(2), attested.subarray(1)])), {}, recorded, "another"],
    ["a hash with more", decoded(userid, Buffer.concat([attested, Buffer.of(0)])), {}, recorded, "another request"],
    ["an empty credential", decoded(userid, Buffer.alloc(0)), {}, recorded, "another request"],
    ["what is too old", decoded(userid, attested), { now: () => (ENCODE_TIME + 3601) * 1000 }, recorded, "expired"],
    ["another mechanism", decoded(userid, attested), {}, vector("none").signature_string, "mechanism is not munge"],
  ])("refuses %s", async (_, script, options, text, reason) => {
    const failure = verify(script, options, text);
    await expect(failure).rejects.toThrow(SignatureError);
    await expect(failure).rejects.toThrow(reason);
  }); // biome-ignore format: one case a line

  test("refuses what munge refuses", async () => {
    const error = await verify(say(DECODED.invalid)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "EPERM", message: "munge: Invalid credential" });
  });
});
