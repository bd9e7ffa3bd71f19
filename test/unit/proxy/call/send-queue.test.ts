import { beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../proxy/broker/payload.js";
import { SendQueue } from "../../../../proxy/call/send-queue.js";
import type { FluxError } from "../../../../src/errors.js";
import type { Signer } from "../../../../src/signing/signer.js";

describe("SendQueue", () => {
  let queue: SendQueue;
  let idle: number;
  let sent: string[];
  let refused: FluxError[];
  let signatures: { resolve: (signature: string) => void; reject: (error: Error) => void }[];
  const signer: Signer = {
    mechanism: "none",
    userid: 1000,
    sign: () => new Promise((resolve, reject) => signatures.push({ resolve, reject })),
  };
  beforeEach(() => {
    [idle, sent, refused, signatures] = [0, [], [], []];
    queue = new SendQueue(
      (action) => action(),
      () => idle++,
    );
  });
  const push = (payload: JsonObject, by?: Signer) =>
    queue.push({
      topic: "a.b",
      payload,
      signer: by,
      send: (bytes) => sent.push(Buffer.from(bytes).toString().slice(0, -1)),
      refuse: (error) => refused.push(error),
    });
  /** The next that waits is signed. */
  const sign = async (signature = "s") => {
    signatures.shift()?.resolve(signature);
    await new Promise(setImmediate);
  };

  test("sends unsigned requests at once", () => {
    push({ x: 1 });
    expect(sent).toEqual(['{"x":1}']);
  });

  test("keeps the order, though signing takes time", async () => {
    push({ x: 1 }, signer);
    push({ x: 2 });
    push({ x: 3 }, signer);
    expect(sent).toEqual([]);
    await sign("first");
    expect(sent).toEqual(['{"signature":"first"}', '{"x":2}']);
    await sign("third");
    expect(sent.at(-1)).toBe('{"signature":"third"}');
  });

  test("refuses a request that cannot be signed, and continues", async () => {
    push({ x: 1 }, signer);
    push({ x: 2 });
    signatures.shift()?.reject(new Error("no key"));
    await new Promise(setImmediate);
    expect(refused).toMatchObject([
      { code: "EPERM", message: "the proxy cannot sign: no key", topic: "a.b" },
    ]);
    expect(sent).toEqual(['{"x":2}']);
  });

  test("is congested while more than 16 wait, and says once when it is no longer", async () => {
    for (let i = 0; i < 16; i++) push({}, signer);
    expect(queue.congested).toBe(false);
    push({}, signer);
    push({}, signer);
    expect(queue.congested).toBe(true);
    await sign();
    expect([queue.congested, idle]).toEqual([true, 0]);
    await sign();
    expect([queue.congested, idle]).toEqual([false, 1]);
    while (signatures.length > 0) await sign();
    expect([sent.length, idle]).toEqual([18, 1]);
  });

  test("sends nothing once the session is over", async () => {
    push({ x: 1 }, signer);
    push({ x: 2 });
    queue.clear();
    await sign();
    expect(sent).toEqual([]);
  });
});
