/** The side that closes, its code, and the life of the session: the table of PROTOCOL.md, over real sockets. */
import type { Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { createProxy, generateKeys, type RunningProxy, signToken } from "../../../proxy/index.js";
import { SUBPROTOCOL } from "../../../src/protocol/messages.js";
import { RawClient } from "./support/raw-client.js";

const identity = { issuer: "https://issuer.example", audience: "flux" };
const cleanup: (() => unknown)[] = [];
let broker: EmbeddedBroker;
let proxy: RunningProxy;
/** Looks for signs of life at short intervals. */
let hasty: RunningProxy;
let token: string;

beforeAll(async () => {
  const { jwks, privateJwk } = await generateKeys();
  token = await signToken(privateJwk, { ...identity, subject: "alice", ttlSeconds: 600 });
  broker = await startEmbeddedBroker({ size: 1 });
  proxy = await createProxy({ uri: broker.uri, jwks, ...identity });
  hasty = await createProxy({ uri: broker.uri, jwks, ...identity, pingIntervalMs: 50 });
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});
afterAll(async () => {
  await proxy.close();
  await hasty.close();
  await broker.close();
});

async function welcomed(url = proxy.url): Promise<RawClient> {
  const client = await RawClient.open(url, token);
  cleanup.push(() => client.ws.close(1000));
  return client;
}

/** "resumed", or the close of the attempt by the proxy. */
async function resumption(before: RawClient, url = proxy.url): Promise<string> {
  const next = new RawClient(url);
  cleanup.push(() => next.ws.close(1000));
  await new Promise((resolve) => next.ws.once("open", resolve));
  next.text({ type: "hello", token, resume: { id: before.welcome?.resume, received: 0 } });
  await Promise.race([next.closed, next.until(() => next.welcome !== undefined).catch(() => {})]);
  return next.welcome === undefined ? `${(await next.closed).code}` : "resumed";
}

describe("a client that closes", () => {
  test.each([1000, 1001, 4400, 4412, 4500])("with %i ends its session", async (code) => {
    const client = await welcomed();
    client.ws.close(code);
    await client.closed;
    expect(await resumption(client)).toBe("4404");
  });

  test.each([1002, 1007, 1009, 1011, 3000, 4401, 4408, 4410, 4999])(
    "with %i leaves its session for its grace",
    async (code) => {
      const client = await welcomed();
      client.ws.close(code);
      await client.closed;
      expect(await resumption(client)).toBe("resumed");
    },
  );

  test("without a code leaves its session for its grace", async () => {
    const client = await welcomed();
    client.ws.close();
    await client.closed;
    expect(await resumption(client)).toBe("resumed");
  });
});

describe("a client that is silent", () => {
  test("is closed with 4408, and can resume its session", async () => {
    const client = new RawClient(hasty.url);
    cleanup.push(() => client.ws.terminate());
    // biome-ignore lint/suspicious/noExplicitAny: the types of ws do not have its answer to a ping.
    (client.ws as any)._autoPong = false;
    await new Promise((resolve) => client.ws.once("open", resolve));
    client.text({ type: "hello", token });
    await client.until(() => client.welcome !== undefined);
    expect(await client.closed).toEqual({ code: 4408, reason: "nothing has come for too long" });
    expect(await resumption(client, hasty.url)).toBe("resumed");
  });
});

describe("a client that breaks RFC 6455", () => {
  /** The TCP connection of a WebSocket. */
  const wire = ({ ws }: RawClient) => (ws as unknown as { _socket: Socket })._socket;

  test.each([
    [
      "with a frame that is not masked",
      1002,
      (client: RawClient) => wire(client).write(Uint8Array.of(0x81, 1, 120)),
    ],
    [
      "with an unknown opcode",
      1002,
      (client: RawClient) => wire(client).write(Uint8Array.of(0x83, 0x80, 0, 0, 0, 0)),
    ],
    [
      "with text that is not UTF-8",
      1007,
      (client: RawClient) => client.ws.send(Uint8Array.of(0xff), { binary: false }),
    ],
    [
      "with a message over 1 MiB",
      1009,
      (client: RawClient) => client.ws.send(new Uint8Array(1024 * 1024 + 1)),
    ],
  ])("%s is closed with %i, and its session is over", async (_, code, send) => {
    const client = await welcomed();
    send(client);
    expect((await client.closed).code).toBe(code);
    expect(await resumption(client)).toBe("4404");
  });
});

describe("the subprotocol", () => {
  test.each([
    [["flux-subprocess.v2", SUBPROTOCOL], SUBPROTOCOL],
    [[SUBPROTOCOL, "flux-subprocess.v2"], SUBPROTOCOL],
    [["flux-subprocess.v2"], 400],
  ])("of those that a client offers is one that the proxy speaks: %j", async (offered, answer) => {
    const ws = new WebSocket(proxy.url, offered);
    cleanup.push(() => ws.terminate());
    const got = await new Promise((resolve) => {
      ws.on("open", () => resolve(ws.protocol));
      ws.on("unexpected-response", (_, response) => resolve(response.statusCode));
      ws.on("error", () => {});
    });
    expect(got).toBe(answer);
  });
});

test("a close may have an empty reason", async () => {
  const client = await welcomed();
  client.ws.close(4400);
  expect(await client.closed).toEqual({ code: 4400, reason: "" });
});
