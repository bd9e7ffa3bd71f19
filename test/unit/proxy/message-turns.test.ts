/** The proxy shares its time between a client that sends very many messages and another one. */
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

test.each([
  ["messages", (client: RawClient) => client.text({ type: "ack", seq: 0 })],
  ["pings", (client: RawClient) => client.ws.ping()],
])("20,000 %s in a row are handled many at a time, with another client in between", async (_, send) => {
  const many = await RawClient.open(proxy.url, token);
  const other = await RawClient.open(proxy.url, token);
  let over = false;
  let between = 0;
  const over20000 = new Promise<void>((resolve) =>
    many.ws.on("message", (data) => {
      if (JSON.parse(data.toString()).type !== "pong") return;
      over = true;
      resolve();
    }),
  );
  for (let i = 0; i < 20_000; i++) send(many);
  many.text({ type: "ping" });
  // The other client's round trips take one or two turns each.
  while (!over) {
    const pong = new Promise((resolve) => other.ws.once("pong", resolve));
    other.ws.ping();
    await Promise.race([pong, over20000]);
    between++;
  }
  expect(between).toBeGreaterThan(10);
  expect(between).toBeLessThan(2000);
  await many.close();
  await other.close();
});
