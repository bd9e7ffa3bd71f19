import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { mungeDecode, mungeEncode } from "../../../../proxy/signing/munged.js";
import { FluxError } from "../../../../src/errors.js";
import { DECODED, dribble, ENCODE_REFUSED, fakeMunged, message, type Script, say } from "./fake-munged.js";

const recorded = JSON.parse(
  readFileSync(new URL("../../../vectors/munge.json", import.meta.url), "utf8"),
) as Record<"request" | "response", { hex: string }>;

const CREDENTIAL = `MUNGE:${"A".repeat(136)}:`;
/** The recorded response's header and length, and a credential of the size that they announce. */
const ENCODED = Buffer.concat([Buffer.from(recorded.response.hex, "hex"), Buffer.from(`${CREDENTIAL}\0`)]);
const HELLO = Buffer.from("hello");

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0)) await step();
});

async function munged(script: Script) {
  const fake = await fakeMunged(script);
  cleanup.push(() => fake.close());
  return fake;
}

async function refusal(outcome: Promise<unknown>): Promise<FluxError> {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FluxError);
  return error as FluxError;
}

describe("mungeEncode", () => {
  test("asks as the recorded client did, and gives the credential without its NUL", async () => {
    const fake = await munged(say(ENCODED));
    expect(await mungeEncode(HELLO, fake)).toBe(CREDENTIAL);
    expect(fake.requests.map((request) => request.toString("hex"))).toEqual([recorded.request.hex]);
  });

  test("puts an answer together from single bytes", async () => {
    expect(await mungeEncode(HELLO, await munged(dribble(ENCODED)))).toBe(CREDENTIAL);
  });

  test("does not wait for the end of a connection", async () => {
    const fake = await munged((connection) => connection.write(ENCODED));
    expect(await mungeEncode(HELLO, { socket: fake.socket, timeoutMs: 5_000 })).toBe(CREDENTIAL);
  });

  test("uses a connection of its own for each request", async () => {
    const fake = await munged(say(ENCODED));
    await Promise.all([mungeEncode(HELLO, fake), mungeEncode(HELLO, fake), mungeEncode(HELLO, fake)]);
    expect(fake.requests).toHaveLength(3);
  });

  test("fails with munge's own text", async () => {
    const error = await refusal(mungeEncode(HELLO, await munged(say(ENCODE_REFUSED))));
    expect(error).toMatchObject({ code: "EPERM", message: "munge: Invalid cipher type 200" });
  });

  test.each([
    [1, "EIO"],
    [5, "ENOMEM"],
    [99, "EIO"],
  ])("names error %d that has no text", async (errnum, code) => {
    const response = message(3, Buffer.from([errnum, 0, 0, 0, 0, 0]));
    const error = await refusal(mungeEncode(HELLO, await munged(say(response))));
    expect(error).toMatchObject({ code, message: `munge: error ${errnum}` });
  });
});

describe("mungeDecode", () => {
  test("sends the credential with a NUL", async () => {
    const fake = await munged(say(DECODED.success));
    await mungeDecode("MUNGE:abc:", fake);
    expect(fake.requests[0]).toEqual(message(4, Buffer.from("\0\0\0\x0bMUNGE:abc:\0")));
  });

  test.each([
    ["success", 0, ""],
    ["replayed", 17, "Replayed credential"],
    ["expired", 15, "Expired credential"],
  ] as const)("takes %s for an answer", async (name, errnum, errorText) => {
    expect(await mungeDecode("MUNGE::", await munged(say(DECODED[name])))).toEqual({
      errnum,
      errorText,
      encodeTime: 1795350876,
      uid: 0,
      gid: 0,
      payload: HELLO,
    });
  });

  test.each([
    ["invalid", "munge: Invalid credential"],
    ["unauthorized", "munge: Unauthorized credential for client UID=0 GID=0"],
  ] as const)("refuses one that is %s", async (name, text) => {
    const error = await refusal(mungeDecode("MUNGE::", await munged(say(DECODED[name]))));
    expect(error).toMatchObject({ code: "EPERM", message: text });
  });
});

describe("what is no answer", () => {
  test("no socket", async () => {
    const error = await refusal(mungeEncode(HELLO, { socket: "/nonexistent/munge.socket" }));
    expect(error).toMatchObject({ code: "ENOENT" });
    expect(error.message).toContain("/nonexistent/munge.socket");
  });

  test("a socket that nobody listens on", async () => {
    const fake = await munged(() => {});
    const path = `${fake.socket}.file`;
    writeFileSync(path, "");
    expect(await refusal(mungeEncode(HELLO, { socket: path }))).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("silence", async () => {
    const fake = await munged(() => {});
    const error = await refusal(mungeEncode(HELLO, { socket: fake.socket, timeoutMs: 50 }));
    expect(error).toMatchObject({ code: "ETIMEDOUT" });
  });

  test("half an answer, then silence", async () => {
    const fake = await munged((connection) => connection.write(ENCODED.subarray(0, 30)));
    const error = await refusal(mungeEncode(HELLO, { socket: fake.socket, timeoutMs: 50 }));
    expect(error).toMatchObject({ code: "ETIMEDOUT" });
  });

  test.each([0, 5, 11, 30, 160])("a connection that ends after %d bytes", async (size) => {
    const error = await refusal(mungeEncode(HELLO, await munged(say(ENCODED.subarray(0, size)))));
    expect(error).toMatchObject({ code: "ECONNRESET" });
  });

  const body = ENCODED.subarray(11);
  test.each([
    ["another magic", message(3, body, { magic: 1 }), "magic"],
    ["another version", message(3, body, { version: 5 }), "version 5"],
    ["another type", message(5, body), "type 5"],
    ["a length beyond munge's", Buffer.from("00606d4b04030040000000", "hex"), "over munge's limit"],
    ["a body cut short", message(3, body.subarray(0, -1)), "inside a field"],
    ["a body with more", message(3, Buffer.concat([body, HELLO])), "more than its fields"],
    ["bytes behind it", Buffer.concat([ENCODED, HELLO]), "more than its fields"],
    ["an empty body", message(3, Buffer.alloc(0)), "inside a field"],
  ])("%s", async (_, response, text) => {
    const error = await refusal(mungeEncode(HELLO, await munged(say(response))));
    expect(error.code).toBe("EPROTO");
    expect(error.message).toContain(text);
  });
});
