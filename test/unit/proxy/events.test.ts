/** Flux events, from a broker to a client. */
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type GeneratedKeys, generateKeys, signToken } from "../../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { createProxy, type ProxyOptions, type RunningProxy } from "../../../proxy/index.js";
import { connect, type Flux, type FluxEvent } from "../../../src/index.js";
import { Recorder } from "../../support/peer.js";
import { until } from "../../support/process.js";
import { FakeBroker, withAttributes } from "./support/fake-broker.js";
import { RawClient } from "./support/raw-client.js";

const ME = process.getuid?.() ?? 0;
const GUEST = ME + 4242;
const PRIVATE = 0x20;
const claims = { issuer: "https://issuer.test", audience: "flux", ttlSeconds: 600 };

let keys: GeneratedKeys;
let broker: EmbeddedBroker;
const cleanup: (() => unknown)[] = [];

beforeAll(async () => {
  keys = await generateKeys();
});
beforeEach(async () => {
  broker = await startEmbeddedBroker({ size: 1 });
  cleanup.push(() => broker.close());
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function start(options: Partial<ProxyOptions> = {}): Promise<RunningProxy> {
  const proxy = await createProxy({
    uri: broker.uri,
    jwks: keys.jwks,
    ...claims,
    ...options,
  } as ProxyOptions);
  cleanup.push(() => proxy.close());
  return proxy;
}

const tokenOf = (userid: number, more: object = {}) =>
  signToken(keys.privateJwk, {
    ...claims,
    subject: `user ${userid}`,
    userid,
    scope: "rpc events",
    details: [{ type: "flux_subprocess", actions: ["rpc", "events"], topics: ["event.publish"], ...more }],
  });

async function open(proxy: RunningProxy, userid = ME): Promise<Flux> {
  const flux = connect(proxy.url, { token: await tokenOf(userid), retry: false });
  cleanup.push(() => flux.close());
  return flux;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const publish = (flux: Flux, topic: string, body?: object | string, flags = 0) => {
  const text = typeof body === "object" ? `${JSON.stringify(body)}\0` : body;
  return flux.rpc<{ seq: number }>("event.publish", {
    topic,
    flags,
    ...(text === undefined ? {} : { payload: base64(text) }),
  });
};

function record(flux: Flux, prefix: string) {
  const recorder = new Recorder<FluxEvent>();
  return { recorder, subscription: flux.events(prefix).subscribe(recorder) };
}

test("each subscription gets the events of its prefix, with number and payload, also one that came at once", async () => {
  const flux = await open(await start());
  const all = record(flux, "");
  const some = record(flux, "test.a");
  await publish(flux, "test.a", { n: 1 });
  await publish(flux, "test.b");
  await publish(flux, "test.ab", "no JSON");
  await until(() => all.recorder.values.length === 3, "three events");
  expect(all.recorder.values).toEqual([
    { topic: "test.a", seq: 1, payload: { n: 1 } },
    { topic: "test.b", seq: 2 },
    { topic: "test.ab", seq: 3, raw: base64("no JSON") },
  ]);
  expect(some.recorder.values.map(({ seq }) => seq)).toEqual([1, 3]);
});

test("one that ends leaves another of the same prefix, and the last one ends at the broker", async () => {
  const flux = await open(await start());
  const [first, second] = [record(flux, "test."), record(flux, "test.")];
  await publish(flux, "test.1");
  await until(() => first.recorder.values.length + second.recorder.values.length === 2, "both have it");
  first.subscription.unsubscribe();
  await publish(flux, "test.2");
  await until(() => second.recorder.values.length === 2, "the other has the next");
  expect(first.recorder.values.length).toBe(1);
  second.subscription.unsubscribe();
  const third = record(flux, "test.");
  await publish(flux, "test.3");
  await until(() => third.recorder.values.length === 1, "a new one has the next");
  expect([first.recorder.values.length, second.recorder.values.length]).toEqual([1, 2]);
});

test("a private event reaches its user and the owner, and no other guest of a gateway", async () => {
  const proxy = await start({ gateway: true });
  const [owner, guest, other] = [await open(proxy), await open(proxy, GUEST), await open(proxy, GUEST + 1)];
  const records = [owner, guest, other].map((flux) => record(flux, "test."));
  // Each has subscribed when its own request is answered.
  for (const flux of [owner, guest, other]) await publish(flux, "other");
  await publish(guest, "test.private", undefined, PRIVATE);
  await publish(guest, "test.public");
  await until(
    () => records.every(({ recorder }) => recorder.values.some(({ topic }) => topic === "test.public")),
    "all",
  );
  expect(records.map(({ recorder }) => recorder.values.map(({ topic }) => topic))).toEqual([
    ["test.private", "test.public"],
    ["test.private", "test.public"],
    ["test.public"],
  ]);
});

test("the loss of the broker ends it with ECONNRESET", async () => {
  const fake = await FakeBroker.start({ respond: withAttributes() });
  cleanup.push(() => fake.close());
  const proxy = await start({ uri: fake.uri });
  const { recorder } = record(await open(proxy), "test.");
  await fake.until(() =>
    fake.peers.some(({ requests }) => requests.some(({ topic }) => topic === "event.subscribe")),
  );
  fake.kill();
  await until(() => recorder.ends.length > 0, "it ends");
  expect(recorder.ends[0]).toMatchObject({ code: "ECONNRESET", topic: "event.subscribe" });
});

test("a client that does not read gets ENOBUFS, and its session goes on", async () => {
  const proxy = await start();
  const client = await RawClient.open(proxy.url, await tokenOf(ME));
  client.request(1, "event.subscribe", { topic: "test." }, { streaming: true });
  const flux = await open(proxy);
  const payload = { text: "x".repeat(500_000) };
  for (let i = 0; i < 30 && client.of(1).every(({ type }) => type !== "error"); i++)
    await publish(flux, "test.x", payload);
  expect((await client.over(1)).at(-1)).toMatchObject({ type: "error", errno: 105 });
  client.request(2, "attr.get", { name: "rank" });
  expect(await client.answer(2)).toMatchObject({ type: "error", errno: 1 });
  await client.close();
});

test("a new token without the right ends it with EPERM", async () => {
  const client = await RawClient.open((await start()).url, await tokenOf(ME));
  client.request(1, "event.subscribe", { topic: "test." }, { streaming: true });
  client.text({ type: "token", token: await tokenOf(ME, { prefixes: ["other."] }) });
  expect((await client.over(1)).at(-1)).toMatchObject({
    errno: 1,
    message: "token does not allow events: prefixes",
  });
  await client.close();
});

test("a session has at most 64 of them", async () => {
  const client = await RawClient.open((await start()).url, await tokenOf(ME));
  for (let id = 1; id <= 65; id++)
    client.request(id, "event.subscribe", { topic: "test." }, { streaming: true });
  expect((await client.over(65)).at(-1)).toMatchObject({ errno: 105 });
  client.next({ type: "detach", id: 1 });
  expect((await client.over(1)).at(-1)).toMatchObject({ errno: 125 });
  client.request(66, "event.subscribe", { topic: "test." }, { streaming: true });
  client.request(67, "event.publish", { topic: "test.one", flags: 0 });
  await client.until(() => client.of(66).length > 0);
  expect(client.of(66)[0]).toMatchObject({ type: "response", payload: { topic: "test.one" } });
  await client.close();
});
