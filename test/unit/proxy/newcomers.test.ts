/** The limits on a socket before its welcome. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { createProxy, generateKeys, type RunningProxy, signToken } from "../../../proxy/index.js";
import { RawClient } from "./support/raw-client.js";

const identity = { issuer: "https://issuer.example", audience: "flux" };
let broker: EmbeddedBroker;
let proxy: RunningProxy;
let token: string;
beforeAll(async () => {
  const keys = await generateKeys();
  token = await signToken(keys.privateJwk, { ...identity, subject: "alice", ttlSeconds: 600 });
  broker = await startEmbeddedBroker({ size: 1 });
  proxy = await createProxy({ uri: broker.uri, jwks: keys.jwks, ...identity });
});
afterAll(async () => {
  await proxy.close();
  await broker.close();
});

const hello = async (client: RawClient) => {
  client.text({ type: "hello", token });
  await client.until(() => client.welcome !== undefined);
};

test.each(["ping", "pong"] as const)("16 %ss are few enough, one more is too many", async (kind) => {
  const few = await RawClient.connect(proxy.url);
  for (let i = 0; i < 16; i++) few.ws[kind]();
  await hello(few);
  const many = await RawClient.connect(proxy.url);
  for (let i = 0; i < 17; i++) many.ws[kind]();
  expect(await many.closed).toEqual({ code: 4429, reason: "too many pings before welcome" });
  await few.close();
});

test("after its welcome a client may ping as before", async () => {
  const client = await RawClient.connect(proxy.url);
  await hello(client);
  let pongs = 0;
  const all = new Promise<void>((resolve) => client.ws.on("pong", () => ++pongs === 1000 && resolve()));
  for (let i = 0; i < 1000; i++) client.ws.ping();
  await all;
  await client.close();
});

test("512 KiB are few enough, as one message is that is not read yet, and more is too much", async () => {
  const few = await RawClient.connect(proxy.url);
  few.text(`${" ".repeat(500 * 1024)}${JSON.stringify({ type: "hello", token })}`);
  await few.until(() => few.welcome !== undefined);
  await few.close();
  const many = await RawClient.connect(proxy.url);
  many.text(`${" ".repeat(600 * 1024)}${JSON.stringify({ type: "hello", token })}`);
  expect(await many.closed).toEqual({ code: 4429, reason: "too many bytes before welcome" });
});
