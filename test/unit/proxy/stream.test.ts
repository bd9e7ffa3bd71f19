/** Streams: requests with any number of answers, from the client to the broker's socket and back. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type GeneratedKeys, generateKeys, signToken } from "../../../proxy/auth/keys.js";
import { createProxy, type RunningProxy } from "../../../proxy/index.js";
import type { RequestMessage } from "../../../proxy/wire/message.js";
import { connect, type Flux } from "../../../src/index.js";
import { Recorder } from "../../support/peer.js";
import { until } from "../../support/process.js";
import { FakeBroker, type FakePeer, payloadOf, withAttributes } from "./support/fake-broker.js";
import { RawClient } from "./support/raw-client.js";

const claims = { issuer: "https://issuer.test", audience: "flux", subject: "alice", ttlSeconds: 600 };
const WATCH = "job-info.eventlog-watch";
const STATS = "job-list.job-stats";
const ENODATA = 61;

const details = (...topics: string[]) => [{ type: "flux_subprocess", actions: ["rpc", "stream"], topics }];
const tokenFor = (...topics: string[]) =>
  signToken(keys.privateJwk, { ...claims, scope: "rpc stream", details: details(...topics) });

let keys: GeneratedKeys;
let broker: FakeBroker;
let proxy: RunningProxy;
const cleanup: (() => unknown)[] = [];

beforeAll(async () => {
  keys = await generateKeys();
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

interface Got {
  request: RequestMessage;
  peer: FakePeer;
}

/** A broker that keeps what it is sent, and answers nothing but attributes and echo.it. */
async function start(): Promise<Got[]> {
  const got: Got[] = [];
  broker = await FakeBroker.start({
    respond: withAttributes((request, peer) => {
      got.push({ request, peer });
      if (request.topic === "echo.it")
        peer.respond(request.matchtag, { payload: payloadOf(request) as object });
    }),
  });
  cleanup.push(() => broker.close());
  proxy = await createProxy({ uri: broker.uri, jwks: keys.jwks, ...claims });
  cleanup.push(() => proxy.close());
  return got;
}

async function open(): Promise<Flux> {
  const flux = connect(proxy.url, { token: await tokenFor(`${WATCH}`, STATS, "echo.it") });
  cleanup.push(() => flux.close());
  return flux;
}

const of = (got: Got[], topic: string) => got.filter(({ request }) => request.topic === topic);
const one = async (got: Got[], topic: string) => {
  await broker.until(() => of(got, topic).length > 0);
  return of(got, topic)[0] as Got;
};

describe("a stream", () => {
  test("emits each answer, and completes at ENODATA", async () => {
    const got = await start();
    const recorder = new Recorder();
    (await open()).rpc(WATCH, { id: 2n ** 60n + 1n }, { streaming: true }).subscribe(recorder);
    const { request, peer } = await one(got, WATCH);
    expect([request.flags & 0x40, Buffer.from(request.payload ?? []).toString()]).toEqual([
      0x40,
      '{"id":1152921504606846977}\0',
    ]);
    for (const event of ["a", "b"]) peer.respond(request.matchtag, { payload: { event } });
    peer.respond(request.matchtag, { errnum: ENODATA });
    await until(() => recorder.ends.length > 0, "it ends");
    expect([recorder.values, recorder.ends]).toEqual([[{ event: "a" }, { event: "b" }], ["completed"]]);
  });

  test("errors with the service's error", async () => {
    const got = await start();
    const recorder = new Recorder();
    (await open()).rpc(WATCH, {}, { streaming: true }).subscribe(recorder);
    const { request, peer } = await one(got, WATCH);
    peer.respond(request.matchtag, { errnum: 2, payload: "no such job" });
    await until(() => recorder.ends.length > 0, "it ends");
    expect(recorder.ends[0]).toMatchObject({ code: "ENOENT", topic: WATCH });
  });

  test("is canceled at the service by its matchtag, over the same connection, when it is unsubscribed", async () => {
    const got = await start();
    const flux = await open();
    const stream = flux.rpc(WATCH, {}, { streaming: true, nodeid: 1 }).subscribe();
    const { request, peer } = await one(got, WATCH);
    stream.unsubscribe();
    const cancel = await one(got, `${WATCH}-cancel`);
    expect(cancel.peer).toBe(peer);
    expect(payloadOf(cancel.request)).toEqual({ matchtag: request.matchtag });
    expect([cancel.request.nodeid, cancel.request.flags & 0x04]).toEqual([1, 0x04]);
    // The service ends it; the session goes on.
    peer.respond(request.matchtag, { errnum: ENODATA });
    expect(await flux.rpc("echo.it", { n: 1 })).toEqual({ n: 1 });
  });

  test("without a cancel has a connection of its own, which ends with it", async () => {
    const got = await start();
    const flux = await open();
    expect(await flux.rpc("echo.it", {})).toEqual({});
    const recorder = new Recorder();
    const stream = flux.rpc(STATS, {}, { streaming: true }).subscribe(recorder);
    const { request, peer } = await one(got, STATS);
    expect(peer).not.toBe(of(got, "echo.it")[0]?.peer);
    peer.respond(request.matchtag, { payload: { jobs: 1 } });
    await until(() => recorder.values.length > 0, "it answers");
    stream.unsubscribe();
    await peer.closed;
    expect(await flux.rpc("echo.it", { n: 2 })).toEqual({ n: 2 });
  });

  test("ends with ECONNRESET if the broker is lost", async () => {
    const got = await start();
    const recorder = new Recorder();
    (await open()).rpc(WATCH, {}, { streaming: true }).subscribe(recorder);
    await one(got, WATCH);
    broker.kill();
    await until(() => recorder.ends.length > 0, "it ends");
    expect(recorder.ends[0]).toMatchObject({ code: "ECONNRESET" });
  });

  test("ends with EPERM, and is canceled, when a new token does not allow it", async () => {
    const got = await start();
    const client = await RawClient.open(proxy.url, await tokenFor(WATCH));
    client.request(1, WATCH, {}, { streaming: true });
    await one(got, WATCH);
    client.text({ type: "token", token: await tokenFor("other.*") });
    expect((await client.over(1)).at(-1)).toMatchObject({
      errno: 1,
      message: "token does not allow stream: topics",
    });
    await one(got, `${WATCH}-cancel`);
    await client.close();
  });
});

describe("a client that does not read", () => {
  const MIB = "x".repeat(1024 * 1024);

  test("loses the stream that fills its session, with ENOBUFS, and nothing else", async () => {
    const got = await start();
    const client = await RawClient.open(proxy.url, await tokenFor(WATCH, "echo.it"));
    for (const id of [1, 2]) client.request(id, WATCH, {}, { streaming: true });
    await broker.until(() => of(got, WATCH).length === 2);
    const [busy, quiet] = of(got, WATCH) as [Got, Got];
    quiet.peer.respond(quiet.request.matchtag, { payload: { n: 1 } });
    for (let i = 0; i < 20; i++) busy.peer.respond(busy.request.matchtag, { payload: { MIB } });
    quiet.peer.respond(quiet.request.matchtag, { payload: { n: 2 } });
    const messages = await client.over(busy.request.matchtag);
    expect(messages.at(-1)).toMatchObject({ type: "error", errno: 105 });
    expect(messages.length).toBeGreaterThan(7);
    expect(messages.length).toBeLessThan(13);
    expect(payloadOf((await one(got, `${WATCH}-cancel`)).request)).toEqual({
      matchtag: busy.request.matchtag,
    });
    await client.until(() => client.of(quiet.request.matchtag).length === 2);
    client.request(9, "echo.it", { n: 3 });
    expect(await client.answer(9)).toMatchObject({ payload: { n: 3 } });
    await client.close();
  });

  test("that reads again may begin another stream", async () => {
    const got = await start();
    const client = await RawClient.open(proxy.url, await tokenFor(WATCH));
    client.request(1, WATCH, {}, { streaming: true });
    const first = await one(got, WATCH);
    for (let i = 0; i < 20; i++) first.peer.respond(1, { payload: { MIB } });
    await client.over(1);
    client.text({ type: "ack", seq: client.received.length });
    client.request(2, WATCH, {}, { streaming: true });
    await broker.until(() => of(got, WATCH).length === 2);
    for (let i = 0; i < 5; i++) first.peer.respond(2, { payload: { MIB } });
    await client.until(() => client.of(2).length === 5);
    expect(client.of(2).every(({ type }) => type === "response")).toBe(true);
    await client.close();
  });

  test("an answer that is longer than any may be ends the stream with EMSGSIZE", async () => {
    const got = await start();
    const client = await RawClient.open(proxy.url, await tokenFor(WATCH));
    client.request(1, WATCH, {}, { streaming: true });
    const { peer } = await one(got, WATCH);
    peer.respond(1, { payload: { long: MIB.repeat(8) } });
    expect((await client.over(1)).at(-1)).toMatchObject({ errno: 90 });
    await client.close();
  });
});
