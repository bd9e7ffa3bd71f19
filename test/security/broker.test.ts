/** A broker that lies can end a request or its connection, but no other session. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  createProxy,
  type GeneratedKeys,
  generateKeys,
  type RunningProxy,
  signToken,
} from "../../proxy/index.js";
import type { RequestMessage } from "../../proxy/wire/message.js";
import { FakeBroker, type FakePeer, frameOf, withAttributes } from "../unit/proxy/support/fake-broker.js";
import { RawClient } from "../unit/proxy/support/raw-client.js";
import { AUDIENCE, ISSUER } from "./world.js";

const EPROTO = 71;
const EMSGSIZE = 90;

let keys: GeneratedKeys;
let broker: FakeBroker;
let proxy: RunningProxy;
let client: RawClient;
let other: RawClient;
let faults: unknown[];
beforeAll(async () => {
  keys = await generateKeys();
  broker = await FakeBroker.start({ respond: withAttributes() });
  proxy = await createProxy({
    uri: broker.uri,
    jwks: keys.jwks,
    issuer: ISSUER,
    audience: AUDIENCE,
    onFault: (error) => faults.push(error),
  });
});
afterAll(async () => {
  await proxy.close();
  await broker.close();
});

const open = async () => {
  const token = await signToken(keys.privateJwk, {
    issuer: ISSUER,
    audience: AUDIENCE,
    subject: "a",
    ttlSeconds: 60,
  });
  return RawClient.open(proxy.url, token);
};

beforeEach(async () => {
  faults = [];
  [client, other] = [await open(), await open()];
});

/** The broker's answer to each request that is not for an attribute. */
const answering = (respond: (request: RequestMessage, peer: FakePeer) => void) => {
  broker.respond = withAttributes(respond);
};

/** Asks for something that the broker answers as it should. */
async function isServed(session: RawClient, id: number): Promise<void> {
  const before = broker.respond;
  answering(({ matchtag }, peer) => peer.respond(matchtag, { payload: { well: true } }));
  session.request(id, "attr.list", {});
  expect(await session.answer(id)).toMatchObject({ type: "response", payload: { well: true } });
  broker.respond = before;
}

const nested = (depth: number) => `${'{"a":'.repeat(depth)}0${"}".repeat(depth)}`;

describe("a payload that would take far more than its bytes is EPROTO for its rank, and the session goes on", () => {
  test.each([
    ["nested 5,000 deep", nested(5000), nested(200), "is nested more than 256 deep"],
    ["63 MiB of brackets", "[".repeat(63 * 1024 * 1024), "{}", "is nested more than 256 deep"],
    [
      "a million objects",
      `{"a":[${"{},".repeat(1_000_000)}0]}`,
      `{"a":[${"{},".repeat(100_000)}0]}`,
      "has more than 524288 values",
    ],
  ])("%s", async (_, bad, good, reason) => {
    answering(({ matchtag }, peer) => peer.respond(matchtag, { payload: bad }));
    client.request(1, "attr.list", {});
    expect(await client.answer(1)).toMatchObject({
      type: "error",
      errno: EPROTO,
      reason: `the response's payload ${reason}`,
    });
    answering(({ matchtag }, peer) => peer.respond(matchtag, { payload: good }));
    client.request(2, "attr.list", {});
    expect(await client.answer(2)).toMatchObject({ type: "response" });
    await isServed(other, 1);
    expect(faults).toEqual([]);
  });

  test("of a process: the other rank of the same exec goes on", async () => {
    answering(({ matchtag, nodeid }, peer) => {
      peer.respond(matchtag, { payload: { type: "started", pid: 1 } });
      const stopped = `{"type":"stopped","more":${nested(5000)}}`;
      peer.respond(matchtag, { payload: nodeid === 0 ? stopped : { type: "finished", status: 0 } });
      peer.respond(matchtag, { errnum: 61 });
    });
    client.exec(1, ["true"], { nodeid: "0-1" });
    const messages = await client.over(1, 2);
    expect(messages).toContainEqual(expect.objectContaining({ type: "error", rank: 0, errno: EPROTO }));
    expect(messages).toContainEqual(expect.objectContaining({ type: "end", rank: 1 }));
    await isServed(client, 5);
  });
});

test("a frame of 63 MiB of parts without a byte ends its connection alone", async () => {
  // The magic, the length, and parts of size 0.
  const frame = Buffer.alloc(8 + 63 * 1024 * 1024);
  frame.set([0x12, 0x00, 0xee, 0xff]);
  frame.writeUInt32BE(frame.length - 8, 4);
  let highest = 0;
  const before = process.memoryUsage().rss;
  const watching = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 5);
  answering((_, peer) => peer.socket.write(frame));
  client.request(1, "attr.list", {});
  expect(await client.closed).toEqual({
    code: 4503,
    reason: "broker sent what is no Flux message: message has more than 256 parts",
  });
  clearInterval(watching);
  expect(client.of(1)).toMatchObject([{ type: "error", errno: 104 }]);
  // The frame is held here twice: as it was sent, and as it came. The parts as views would have been gigabytes.
  expect(highest - before).toBeLessThan(512 * 1024 * 1024);
  await isServed(other, 1);
  expect(faults).toEqual([]);
});

test("a frame that comes byte by byte costs no more than its bytes", async () => {
  const frame = frameOf(1, { payload: { text: "x".repeat(20_000) } });
  answering(async (request, peer) => {
    if (request.matchtag !== 1) return peer.respond(request.matchtag, { payload: {} });
    peer.socket.setNoDelay?.(true);
    for (const byte of frame) {
      peer.socket.write(Uint8Array.of(byte));
      if (peer.socket.writableLength > 100) await delay(0);
    }
  });
  client.request(1, "attr.list", {});
  expect(await client.answer(1)).toMatchObject({ type: "response", payload: { text: "x".repeat(20_000) } });
});

test("a response of 9 MiB is EMSGSIZE for its rank, one of 7 MiB is passed on, and both leave the session as it is", async () => {
  const answers = [9, 7].map((mib) => ({ text: "x".repeat(mib * 1024 * 1024) }));
  answering(({ matchtag }, peer) => peer.respond(matchtag, { payload: answers[matchtag - 1] as object }));
  client.request(1, "attr.list", {});
  expect(await client.answer(1)).toMatchObject({ type: "error", errno: EMSGSIZE });
  client.request(2, "attr.list", {});
  const answer = await client.answer(2);
  expect(answer.type).toBe("response");
  client.text({ type: "ack", seq: answer.seq });
  await isServed(client, 5);
});

test("of an error's text of a MiB the client gets the beginning", async () => {
  answering(({ matchtag }, peer) => peer.respond(matchtag, { errnum: 5, payload: "x".repeat(1024 * 1024) }));
  client.request(1, "attr.list", {});
  expect(await client.answer(1)).toMatchObject({ type: "error", errno: 5, message: `${"x".repeat(8192)}…` });
  answering(({ matchtag }, peer) => peer.respond(matchtag, { errnum: 5, payload: "x".repeat(1000) }));
  client.request(2, "attr.list", {});
  expect(await client.answer(2)).toMatchObject({ type: "error", errno: 5, message: "x".repeat(1000) });
});

test("a process of more than 1,024 streams is EPROTO for its rank", async () => {
  answering(({ matchtag, nodeid }, peer) => {
    peer.respond(matchtag, { payload: { type: "started", pid: 1 } });
    for (let i = 0; i < (nodeid === 0 ? 1025 : 1024); i++)
      peer.respond(matchtag, { payload: { type: "output", io: { stream: `s${i}`, rank: "0", data: "x" } } });
    peer.respond(matchtag, { errnum: 61 });
  });
  client.exec(1, ["true"], { nodeid: "0-1" });
  const messages = await client.over(1, 2);
  const last = messages.filter(({ type }) => type === "error" || type === "end");
  expect(last).toContainEqual(
    expect.objectContaining({ type: "error", rank: 0, errno: EPROTO, message: "more than 1024 streams" }),
  );
  expect(last).toContainEqual(expect.objectContaining({ type: "end", rank: 1 }));
});

describe("a broker of more ranks than a request goes to", () => {
  const attributes = (size: string) =>
    withAttributes(({ matchtag }, peer) => peer.respond(matchtag, { payload: { well: true } }), 1000, {
      size,
    });

  test('"all" is one error, and the session goes on', async () => {
    broker.respond = attributes("65537");
    const session = await open();
    expect(session.welcome?.size).toBe(65_537);
    session.request(1, "attr.list", {}, { nodeid: "all" });
    expect(await session.over(1)).toMatchObject([
      {
        type: "error",
        rank: 0,
        errno: 22,
        reason: '"all" is 65537 ranks, and a request goes to at most 65536',
      },
    ]);
    session.request(1, "attr.list", {});
    await session.until(() => session.of(1).length === 2);
    expect(session.of(1)[1]).toMatchObject({ type: "response" });
    await session.close();
    expect(faults).toEqual([]);
  });

  test('"all" of as many as there may be is as many answers', async () => {
    broker.respond = attributes("3");
    const session = await open();
    session.request(1, "attr.list", {}, { nodeid: "all" });
    await session.until(() => session.of(1).length === 3);
    await session.close();
  });

  test("a size that is no integer of 32 bits is no size", async () => {
    broker.respond = attributes("99999999999999999999");
    await expect(open()).rejects.toThrow("the socket closed before");
  });
});
