/** The proxy as a whole, over a real WebSocket, by hand; brokers are the embedded one and a recording one. */
import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import {
  createProxy,
  type GeneratedKeys,
  generateKeys,
  type ProxyOptions,
  type RunningProxy,
  signToken,
} from "../../../proxy/index.js";
import { MAX_DATA, MAX_FRAME, OUTPUT_WINDOW, SUBPROTOCOL } from "../../../src/protocol/messages.js";
import { CLOSE } from "../../../src/protocol/protocol-error.js";
import { FakeBroker, frameOf, withAttributes } from "./support/fake-broker.js";
import { RawClient } from "./support/raw-client.js";

const identity = { issuer: "https://issuer.example", audience: "flux" };

let keys: GeneratedKeys;
let token: string;
let broker: EmbeddedBroker;
let proxy: RunningProxy;
const cleanup: (() => unknown)[] = [];

const start = (options: Partial<ProxyOptions> & { uri: string }) =>
  createProxy({ jwks: keys.jwks, ...identity, ...options });

beforeAll(async () => {
  keys = await generateKeys();
  token = await signToken(keys.privateJwk, { ...identity, subject: "alice", ttlSeconds: 600 });
  broker = await startEmbeddedBroker({ size: 2 });
  proxy = await start({ uri: broker.uri });
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});
afterAll(async () => {
  await proxy.close();
  await broker.close();
});

/** A welcomed client, closed with the test. */
async function client(url = proxy.url, hello: object = {}): Promise<RawClient> {
  const opened = await RawClient.open(url, token, hello);
  cleanup.push(() => opened.ws.close());
  return opened;
}

/** Polls, since nothing tells of the end of another process. The test's time-out is the bound. */
async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

const isRunning = (pid: unknown) => existsSync(`/proc/${pid}`);

test("the pong to an RFC 6455 ping has its data", async () => {
  const { ws } = await client();
  const answered = new Promise<Buffer>((resolve) => ws.once("pong", resolve));
  ws.ping("abc");
  expect((await answered).toString()).toBe("abc");
});

describe("processes", () => {
  test("exec: started, output, eofs, finished, end", async () => {
    const c = await client();
    expect(c.welcome).toMatchObject({ rank: 0, size: 2, owner: process.getuid?.() });
    c.exec(1, ["sh", "-c", "printf out; printf '\\377' >&2; exit 3"]);
    const messages = await c.over(1);
    expect(c.output(1)).toBe("out");
    expect(messages.filter((m) => m.type === "eof").map((m) => m.stream)).toEqual(
      expect.arrayContaining(["stdout", "stderr"]),
    );
    expect(await c.event(1, "finished")).toMatchObject({ status: 3 << 8 });
    expect(messages.at(-1)).toMatchObject({ type: "end", rank: 0 });
    await c.close();
  });

  test("fan-out: a rank that does not exist fails alone", async () => {
    const c = await client();
    c.exec(1, ["sh", "-c", "echo here"], { nodeid: "0-2" });
    const messages = await c.over(1, 3);
    expect(messages.filter((m) => m.type === "error")).toMatchObject([{ rank: 2, errno: 113 }]);
    expect([0, 1].map((rank) => c.output(1, "stdout", rank))).toEqual(["here\n", "here\n"]);
  });

  test("input within the credit comes back from cat, at every rank", async () => {
    const c = await client();
    c.exec(1, ["cat"], { flags: 11, nodeid: "all" });
    await c.until(() => c.of(1).some((m) => m.type === "credit"));
    c.input(1, "hello ");
    c.input(1, Uint8Array.of(0xc3));
    c.input(1, Uint8Array.of(0xa9));
    c.next({ type: "eof", id: 1, stream: "stdin" });
    await c.over(1, 2);
    expect([0, 1].map((rank) => c.output(1, "stdout", rank))).toEqual(["hello é", "hello é"]);
  });

  test("input over the credit closes with 4429, and the process is gone", async () => {
    const c = await client();
    c.exec(1, ["sleep", "1000"], { flags: 11 });
    const { pid } = await c.event(1, "started");
    const credit = () => c.of(1).reduce((sum, m) => sum + (m.type === "credit" ? m.bytes : 0), 0);
    await c.until(() => credit() > 0);
    // A pipe takes a few KiB without a reader, for which there is new credit meanwhile.
    for (let left = credit() + MAX_FRAME; left > 0; left -= MAX_DATA) c.input(1, new Uint8Array(MAX_DATA));
    expect(await c.closed).toMatchObject({ code: CLOSE.creditOverrun });
    await eventually(() => !isRunning(pid));
  });

  test("a client that consumes nothing gets half of the window, and the rest once it does", async () => {
    const c = await client();
    c.consumes = false;
    const size = 3 * OUTPUT_WINDOW;
    const opts = { stdout_LINE_BUFFER: "false" };
    c.exec(1, ["sh", "-c", `head -c ${size} /dev/zero | tr '\\0' 'x'`], { opts });
    const frames = () => c.of(1).filter((m) => m.type === "data");
    const bytes = () => frames().reduce((sum, { data }) => sum + data.length, 0);
    let consumed = 0;
    while (bytes() < size) {
      await c.until(() => frames().length > consumed);
      // Time for messages that should not come.
      await delay(20);
      const more = frames().slice(consumed);
      expect(more.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThanOrEqual(OUTPUT_WINDOW / 2);
      for (const frame of more) c.consume(frame);
      consumed += more.length;
    }
    await c.over(1);
    expect(c.output(1)).toBe("x".repeat(size));
  });

  test("closing the socket kills foreground processes and leaves background ones", async () => {
    const c = await client();
    c.exec(1, ["sleep", "1000"]);
    c.request(2, "rexec.exec", {
      cmd: { cmdline: ["sleep", "1000"], env: {}, opts: {}, channels: [] },
      flags: 0,
    });
    const foreground = await c.event(1, "started");
    const background = await c.event(2, "started");
    await c.close();
    await eventually(() => !isRunning(foreground.pid));
    expect(isRunning(background.pid)).toBe(true);
    const d = await client();
    d.request(1, "rexec.kill", { pid: background.pid, signum: 9 });
    expect(await d.answer(1)).toMatchObject({ type: "response", payload: {} });
    await eventually(() => !isRunning(background.pid));
  });

  test("a request just before the close still reaches the broker", async () => {
    const c = await client();
    c.request(1, "rexec.exec", {
      cmd: { cmdline: ["sleep", "1000"], env: {}, opts: {}, channels: [] },
      flags: 0,
    });
    const { pid } = await c.event(1, "started");
    c.request(2, "rexec.kill", { pid, signum: 9 });
    await c.close();
    await eventually(() => !isRunning(pid));
  });

  test("detach returns a process to background, from where it can be attached again", async () => {
    const c = await client();
    c.request(1, "rexec.exec", {
      cmd: { cmdline: ["sleep", "1000"], env: {}, opts: {}, channels: [] },
      flags: 16,
    });
    const { pid } = await c.event(1, "started");
    const attach = (id: number) => c.request(id, "rexec.attach", { pid, flags: 3 }, { streaming: true });
    attach(2);
    await c.event(2, "attached");
    attach(3);
    expect(await c.over(3)).toMatchObject([{ type: "error", errno: 16 }]);
    c.next({ type: "detach", id: 2 });
    expect((await c.over(2)).at(-1)).toMatchObject({ type: "error", errno: 125 });
    // The broker learns of the end of a connection in its own time.
    let id = 4;
    attach(id);
    while (!c.of(id).some((m) => m.type === "response")) {
      await c.until(() => c.of(id).length > 0);
      if (c.of(id)[0]?.type === "error") attach(++id);
    }
    await c.event(id, "attached");
    c.request(100, "rexec.kill", { pid, signum: 15 });
    expect(await c.event(id, "finished")).toMatchObject({ status: 15 });
    expect((await c.over(id)).at(-1)).toMatchObject({ type: "end" });
    expect(isRunning(pid)).toBe(false);
  });
});

describe("a client that breaks the rules", () => {
  test.each<[string, number, (c: RawClient) => void]>([
    ["leaves out a number", CLOSE.outOfSequence, (c) => c.text({ type: "detach", id: 1, seq: 2 })],
    [
      "sends a number twice",
      CLOSE.outOfSequence,
      (c) => {
        for (const seq of [1, 1]) c.text({ type: "detach", id: 1, seq });
      },
    ],
    [
      "uses an id twice",
      CLOSE.idInUse,
      (c) => {
        for (const id of [1, 1]) c.exec(id, ["sleep", "1000"]);
      },
    ],
    ["sends no JSON", CLOSE.malformed, (c) => c.text("hello")],
    ["sends a binary message that is no frame", CLOSE.malformed, (c) => c.ws.send(Uint8Array.of(1, 2, 3))],
    ["acknowledges a message that never came", CLOSE.malformed, (c) => c.text({ type: "ack", seq: 1 })],
    ["sends a message over 1 MiB", CLOSE.tooBig, (c) => c.ws.send(new Uint8Array(MAX_FRAME + 1))],
    ["sends text that is not UTF-8", 1007, (c) => c.ws.send(Uint8Array.of(0xff), { binary: false })],
  ])("that %s is closed with %i, and no other is", async (_, code, misbehave) => {
    const [bystander, c] = [await client(), await client()];
    misbehave(c);
    expect(await c.closed).toMatchObject({ code });
    bystander.request(1, "rexec.list", {});
    expect(await bystander.answer(1)).toMatchObject({ type: "response" });
  });

  test("that has gone half-way leaves nothing behind", async () => {
    const c = await client(proxy.url, { grace: 0 });
    c.exec(1, ["sleep", "1000"]);
    const { pid } = await c.event(1, "started");
    c.ws.terminate();
    await eventually(() => !isRunning(pid));
  });

  test("that has gone half-way and comes back finds its process, and all that it wrote", async () => {
    const c = await client();
    c.exec(1, ["sh", "-c", "echo one; read line; echo two"], { flags: 11 });
    const { pid } = await c.event(1, "started");
    await c.until(() => c.output(1) === "one\n");
    c.ws.terminate();
    await c.closed;
    const back = await RawClient.resume(proxy.url, token, c);
    cleanup.push(() => back.ws.close());
    expect(back.welcome?.session).toBe(c.welcome?.session);
    expect(isRunning(pid)).toBe(true);
    back.input(1, "x\n");
    await back.over(1);
    expect(back.output(1)).toBe("two\n");
  });
});

describe("the broker's side", () => {
  async function recording(respond = withAttributes(), options: Partial<ProxyOptions> = {}) {
    const fake = await FakeBroker.start({ respond });
    const recorded = await start({ uri: fake.uri, ...options });
    cleanup.push(
      () => fake.close(),
      () => recorded.close(),
    );
    return { fake, url: recorded.url };
  }

  test.each<[string, () => Promise<string>]>([
    ["that is not a token", async () => "x"],
    ["that has expired", async () => expired()],
    [
      "of a stranger",
      async () => signToken((await generateKeys()).privateJwk, { ...identity, subject: "x", ttlSeconds: 60 }),
    ],
  ])("nothing reaches it with a token %s", async (_, make) => {
    const { fake, url } = await recording();
    const connections = fake.connections;
    const c = await RawClient.connect(url);
    c.text({ type: "hello", token: await make() });
    const { code, reason } = await c.closed;
    expect(code).toBe(CLOSE.unauthorized);
    expect(reason).toMatch(/^token /);
    expect(fake).toMatchObject({ connections, bytesReceived: 0 });
  });

  test("nothing reaches it without a hello in time", async () => {
    const { fake, url } = await recording(withAttributes(), { helloTimeoutMs: 30 });
    const c = await RawClient.connect(url);
    expect(await c.closed).toMatchObject({ code: CLOSE.timeout });
    expect(fake.bytesReceived).toBe(0);
  });

  test.each<[string, (fake: FakeBroker) => void]>([
    ["dies", (fake) => fake.kill()],
    ["talks nonsense", (fake) => fake.peers.at(-1)?.socket.write("nonsense, nonsense")],
    [
      "dies inside a message",
      (fake) => fake.peers.at(-1)?.socket.end(frameOf(1, { errnum: 61 }).subarray(0, 30)),
    ],
  ])("when it %s, every rank fails with 104, then 4503", async (_, what) => {
    const { fake, url } = await recording(
      withAttributes((request, peer) =>
        peer.respond(request.matchtag, { payload: { type: "started", pid: 1 } }),
      ),
    );
    const c = await client(url);
    c.exec(1, ["x"], { nodeid: "all" });
    c.request(9, "rexec.attach", { pid: 1, flags: 3 }, { streaming: true });
    await c.until(() => c.received.filter((m) => m.type === "response").length === 3);
    if (fake.peers.at(-1)?.requests[0]?.topic === "rexec.attach") {
      // The session's first connection, so that what happens to the attach's follows from it.
      fake.peers.pop()?.socket.pause();
    }
    what(fake);
    expect(await c.closed).toMatchObject({ code: CLOSE.brokerLost });
    const errors = c.received.filter((m) => m.type === "error").map((m) => [m.id, m.rank, m.errno]);
    expect(errors.sort()).toEqual([
      [1, 0, 104],
      [1, 1, 104],
      [9, 0, 104],
    ]);
  });

  test("a broker that is no longer there closes with 4503, and only the log says where it was", async () => {
    const faults: unknown[] = [];
    const { fake, url } = await recording(withAttributes(), { onFault: (error) => faults.push(error) });
    await fake.close();
    cleanup.shift();
    const c = await RawClient.connect(url);
    c.text({ type: "hello", token });
    const { code, reason } = await c.closed;
    expect(code).toBe(CLOSE.brokerLost);
    expect(reason).toBe("cannot connect to the broker: ENOENT");
    expect(faults).toMatchObject([{ message: expect.stringContaining(fake.uri) }]);
  });

  test("a broker that is away is named in the log, and not to the client, by an attach as well", async () => {
    const faults: unknown[] = [];
    const { fake, url } = await recording(withAttributes(), { onFault: (error) => faults.push(error) });
    const path = fake.uri.replace("local://", "");
    const c = await client(url);
    await rename(path, `${path}.away`);
    c.next({
      ...{ type: "request", topic: "rexec.attach", id: 1, nodeid: "0", streaming: true },
      payload: { pid: 1, flags: 3 },
    });
    expect(await c.answer(1)).toMatchObject({ errno: 2, message: "cannot connect to the broker: ENOENT" });
    expect(faults).toMatchObject([{ code: "ENOENT", message: expect.stringContaining(fake.uri) }]);
    await rename(`${path}.away`, path);
    c.next({
      ...{ type: "request", topic: "rexec.attach", id: 2, nodeid: "0", streaming: true },
      payload: { pid: 1, flags: 3 },
    });
    await fake.until(() => fake.peers.some(({ requests }) => requests.at(-1)?.topic === "rexec.attach"));
    expect(faults).toHaveLength(1);
  });

  test("a broker that accepts and is then silent: 4503 in bounded time, and one that answers serves", async () => {
    const silent = await FakeBroker.start();
    cleanup.push(() => silent.close());
    const p = await start({ uri: silent.uri, brokerTimeoutMs: 100 });
    cleanup.push(() => p.close());
    const c = await RawClient.connect(p.url);
    c.text({ type: "hello", token });
    expect(await c.closed).toEqual({
      code: CLOSE.brokerLost,
      reason: "the broker has not answered attr.get for 0.1 s",
    });
    silent.respond = withAttributes();
    expect((await client(p.url)).welcome).toMatchObject({ rank: 0, size: 2 });
  });

  test("a broker that refuses, or is not there, rejects createProxy", async () => {
    const fake = await FakeBroker.start({ greeting: Uint8Array.of(1) });
    cleanup.push(() => fake.close());
    await expect(start({ uri: fake.uri })).rejects.toMatchObject({ code: "EPERM" });
    await expect(start({ uri: "local:///nowhere/local" })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(start({ uri: "nonsense" })).rejects.toThrow(TypeError);
  });

  async function expired(): Promise<string> {
    const { SignJWT, importJWK } = await import("jose");
    return new SignJWT({ iss: identity.issuer, aud: identity.audience, sub: "alice", exp: 1 })
      .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt" })
      .sign(await importJWK(keys.privateJwk, "EdDSA"));
  }
});

describe("HTTP", () => {
  const http = (path: string, headers: Record<string, string> = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { port } = new URL(proxy.url);
      const sent = request({ host: "127.0.0.1", port, path, headers }, resolve);
      sent.on("error", reject);
      sent.end();
    });
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };

  test.each([
    [426, "/", {}],
    [426, "/?x", {}],
    [404, "/x", {}],
    [400, "/", upgrade],
    [400, "/", { ...upgrade, "sec-websocket-protocol": "flux-subprocess.v2, other" }],
    [404, "/x", { ...upgrade, "sec-websocket-protocol": SUBPROTOCOL }],
  ])("%i for %s %j", async (status, path, headers) => {
    const response = await http(path, headers);
    expect(response.statusCode).toBe(status);
    if (status === 426) expect(response.headers.upgrade).toBe("websocket");
    response.resume();
  });

  test("the subprotocol is chosen among others, and no extension", async () => {
    const ws = new WebSocket(proxy.url, ["other", SUBPROTOCOL]);
    await new Promise((resolve) => ws.on("open", resolve));
    expect(ws.protocol).toBe(SUBPROTOCOL);
    expect(ws.extensions).toBe("");
    ws.terminate();
  });

  test("another host and path are in the URL", async () => {
    const other = await start({ uri: broker.uri, host: "::1", path: "/flux" });
    cleanup.push(() => other.close());
    expect(other.url).toMatch(/^ws:\/\/\[::1\]:\d+\/flux$/);
    const c = await client(other.url);
    expect(c.welcome).toBeDefined();
  });

  test("a port in use rejects with EADDRINUSE", async () => {
    const port = Number(new URL(proxy.url).port);
    await expect(start({ uri: broker.uri, port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("closing the proxy", () => {
  test("closes all sessions with 1001, and connections that are none", async () => {
    const own = await start({ uri: broker.uri });
    const welcomed = await client(own.url);
    welcomed.exec(1, ["sleep", "1000"]);
    const { pid } = await welcomed.event(1, "started");
    const silent = await RawClient.connect(own.url);
    const idle = connect(Number(new URL(own.url).port), "127.0.0.1");
    await new Promise<void>((resolve) => idle.on("connect", resolve));
    idle.on("error", () => {});
    await Promise.all([own.close(), own.close()]);
    expect(await welcomed.closed).toMatchObject({ code: CLOSE.goingAway });
    expect(await silent.closed).toMatchObject({ code: CLOSE.goingAway });
    await eventually(() => !isRunning(pid));
    idle.destroy();
    await expect(RawClient.connect(own.url)).rejects.toThrow();
  });

  test("does not wait for a client that does not answer", async () => {
    const own = await start({ uri: broker.uri });
    const c = await client(own.url);
    c.ws.pause();
    await own[Symbol.asyncDispose]();
  });
});
