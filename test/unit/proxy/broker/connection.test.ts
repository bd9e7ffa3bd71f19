import { afterEach, describe, expect, test } from "vitest";
import type { ResponseHandler } from "../../../../proxy/broker/broker.js";
import { BrokerConnection, type ConnectOptions } from "../../../../proxy/broker/connection.js";
import { encodePayload } from "../../../../proxy/broker/payload.js";
import { attrGet, attrGetInteger, rpc } from "../../../../proxy/broker/rpc.js";
import { FLAG, NODEID_ANY, USERID_UNKNOWN, WireError } from "../../../../proxy/wire/message.js";
import { FluxError } from "../../../../src/errors.js";
import {
  FakeBroker,
  type FakeBrokerOptions,
  type FakePeer,
  frameOf,
  payloadOf,
} from "../support/fake-broker.js";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

async function fakeBroker(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
  const broker = await FakeBroker.start(options);
  cleanup.push(() => broker.close());
  return broker;
}

async function connected(options: FakeBrokerOptions = {}, connect: ConnectOptions = {}) {
  const broker = await fakeBroker(options);
  const connection = await BrokerConnection.connect(broker.uri, connect);
  cleanup.push(() => connection.close());
  await broker.until(() => broker.peers.length === 1);
  return { broker, connection, peer: broker.peers[0] as FakePeer };
}

type Event = ["response", unknown] | ["error", FluxError] | ["end"];

/** Keeps the calls of a handler. */
class Recorder implements ResponseHandler {
  readonly events: Event[] = [];
  #wake = () => {};
  response = (payload: unknown) => this.#add(["response", payload]);
  error = (error: FluxError) => this.#add(["error", error]);
  end = () => this.#add(["end"]);
  #add(event: Event): void {
    this.events.push(event);
    this.#wake();
  }
  async count(n: number): Promise<Event[]> {
    while (this.events.length < n) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.events;
  }
  async failure(): Promise<FluxError> {
    const [event] = await this.count(1);
    if (event?.[0] !== "error") throw new Error("no error");
    return event[1];
  }
}

const refusal = (uri: string, options?: ConnectOptions) =>
  BrokerConnection.connect(uri, options).then(
    () => expect.unreachable("it was accepted"),
    (error: FluxError) => error,
  );

describe("connecting", () => {
  test("a refusal has the errno that the broker said", async () => {
    const { uri } = await fakeBroker({ greeting: Uint8Array.of(13) });
    const error = await refusal(uri);
    expect(error).toBeInstanceOf(FluxError);
    expect(error.code).toBe("EACCES");
    expect(error.message).toContain(uri);
  });

  test("a broker that closes before the byte is ECONNRESET", async () => {
    const { uri } = await fakeBroker({ accept: (socket) => socket.end() });
    expect(await refusal(uri)).toMatchObject({ code: "ECONNRESET", message: expect.stringContaining(uri) });
  });

  test("a broker that says nothing is ETIMEDOUT", async () => {
    const held: { destroy(): void }[] = [];
    const { uri } = await fakeBroker({ accept: (socket) => held.push(socket) });
    cleanup.push(() => {
      for (const socket of held) socket.destroy();
    });
    expect(await refusal(uri, { timeoutMs: 20 })).toMatchObject({ code: "ETIMEDOUT" });
  });

  test("no socket is ENOENT, nobody behind it ECONNREFUSED", async () => {
    expect(await refusal("local:///nowhere/local")).toMatchObject({ code: "ENOENT" });
    const { createServer } = await import("node:net");
    const { uri, path } = await fakeBroker();
    const stale = `${path}-stale`;
    // A server that is killed leaves its socket behind; one that is closed does not. Linking it has the
    // same effect.
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(stale, resolve));
    const { linkSync } = await import("node:fs");
    linkSync(stale, `${stale}-left`);
    await new Promise((resolve) => server.close(resolve));
    expect(await refusal(`${uri}-stale-left`)).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("a text that is no URI rejects with TypeError", async () => {
    await expect(BrokerConnection.connect("tcp://x")).rejects.toThrow(TypeError);
  });

  test("what comes with the acceptance byte is not lost", async () => {
    const { connection, peer } = await connected({
      greeting: Buffer.concat([
        Uint8Array.of(0),
        frameOf(5, {}),
        frameOf(1, { payload: { a: 1 } }).subarray(0, 9),
      ]),
    });
    const recorder = new Recorder();
    connection.request({ topic: "t", matchtag: 1 }, recorder);
    peer.socket.write(frameOf(1, { payload: { a: 1 } }).subarray(9));
    expect(await recorder.count(1)).toEqual([["response", { a: 1 }]]);
  });
});

describe("requests", () => {
  test("are what flux-core's client sends", async () => {
    const { broker, connection, peer } = await connected();
    const payload = encodePayload({ name: "é" });
    connection.request(
      { topic: "rexec.exec", payload, streaming: true, matchtag: 7, nodeid: 3 },
      new Recorder(),
    );
    connection.request({ topic: "a.b" }, new Recorder());
    connection.send({ topic: "rexec.write", payload: encodePayload({ matchtag: 7 }) });
    await broker.until(() => peer.requests.length === 3);
    const whoever = { type: "request", userid: USERID_UNKNOWN, rolemask: 0, routes: [] };
    expect(peer.requests).toMatchObject([
      {
        ...whoever,
        topic: "rexec.exec",
        flags: FLAG.topic | FLAG.payload | FLAG.route | FLAG.streaming,
        nodeid: 3,
        matchtag: 7,
      },
      { ...whoever, topic: "a.b", flags: FLAG.topic | FLAG.route, nodeid: NODEID_ANY, matchtag: 0x80000000 },
      { ...whoever, flags: FLAG.topic | FLAG.payload | FLAG.route | FLAG.noresponse, matchtag: 0 },
    ]);
    expect(Buffer.from(peer.requests[0]?.payload ?? []).toString()).toBe('{"name":"é"}\0');
  });

  test("a matchtag in use is EBUSY, and free again after the answer", async () => {
    const { connection, peer } = await connected();
    const recorder = new Recorder();
    connection.request({ topic: "t", matchtag: 1 }, recorder);
    expect(() => connection.request({ topic: "t", matchtag: 1 }, new Recorder())).toThrow(
      expect.objectContaining({ code: "EBUSY" }),
    );
    peer.respond(1, {});
    expect(await recorder.count(1)).toEqual([["response", undefined]]);
    connection.request({ topic: "t", matchtag: 1 }, new Recorder());
  });

  test("a streaming one has responses and an end, another one response", async () => {
    const { connection, peer } = await connected();
    const [streaming, single] = [new Recorder(), new Recorder()];
    connection.request({ topic: "t", matchtag: 1, streaming: true }, streaming);
    connection.request({ topic: "t", matchtag: 2 }, single);
    for (const matchtag of [1, 2]) {
      peer.respond(matchtag, { payload: { n: 1 } });
      peer.respond(matchtag, { payload: { n: 2 } });
      peer.respond(matchtag, { errnum: 61 });
      peer.respond(matchtag, { payload: { n: 3 } });
    }
    await streaming.count(3);
    expect(await rpcAfter(connection, peer)).toEqual({});
    expect(streaming.events).toEqual([["response", { n: 1 }], ["response", { n: 2 }], ["end"]]);
    expect(single.events).toEqual([["response", { n: 1 }]]);
  });

  test("errors have the broker's text, else the name of their code, and the topic", async () => {
    const { connection, peer } = await connected();
    const [withText, without, nodata] = [new Recorder(), new Recorder(), new Recorder()];
    connection.request({ topic: "a.b", matchtag: 1 }, withText);
    connection.request({ topic: "a.b", matchtag: 2 }, without);
    connection.request({ topic: "a.b", matchtag: 3 }, nodata);
    peer.respond(1, { errnum: 2, payload: "no such thing" });
    peer.respond(2, { errnum: 113 });
    peer.respond(3, { errnum: 61 });
    expect(await withText.failure()).toMatchObject({ errno: 2, message: "no such thing", topic: "a.b" });
    expect(await without.failure()).toMatchObject({ errno: 113, message: "EHOSTUNREACH" });
    expect(await nodata.failure()).toMatchObject({ code: "ENODATA" });
  });

  test.each([["not JSON"], ["[1]"], ["null"], ['"text"']])(
    "a payload that is %s is EPROTO for its request",
    async (payload) => {
      const { connection, peer } = await connected();
      const [bad, good] = [new Recorder(), new Recorder()];
      connection.request({ topic: "t", matchtag: 1, streaming: true }, bad);
      connection.request({ topic: "t", matchtag: 2 }, good);
      peer.respond(1, { payload });
      peer.respond(1, { payload: { late: true } });
      peer.respond(2, { payload: { ok: true } });
      expect(await good.count(1)).toEqual([["response", { ok: true }]]);
      expect(bad.events).toHaveLength(1);
      expect(await bad.failure()).toMatchObject({ code: "EPROTO", topic: "t" });
      // Its late messages must not be taken for the answer to a later request.
      expect(() => connection.request({ topic: "t", matchtag: 1 }, bad)).toThrow(/in use/);
      peer.respond(1, { errnum: 61 });
      await rpcAfter(connection, peer);
      connection.request({ topic: "t", matchtag: 1 }, bad);
    },
  );

  test("arrive one byte at a time just the same", async () => {
    const { connection, peer } = await connected();
    const recorder = new Recorder();
    connection.request({ topic: "t", matchtag: 1, streaming: true }, recorder);
    peer.socket.setNoDelay(true);
    for (const byte of Buffer.concat([frameOf(1, { payload: { n: 1 } }), frameOf(1, { errnum: 61 })])) {
      await new Promise((resolve) => peer.socket.write(Uint8Array.of(byte), resolve));
      await new Promise(setImmediate);
    }
    expect(await recorder.count(2)).toEqual([["response", { n: 1 }], ["end"]]);
  });
});

/** Resolves when all that the peer has sent before has been taken. */
async function rpcAfter(connection: BrokerConnection, peer: FakePeer): Promise<unknown> {
  const answer = rpc(connection, "after");
  await peer.broker.until(() => peer.requests.some(({ topic }) => topic === "after"));
  peer.respond(peer.requests.findLast(({ topic }) => topic === "after")?.matchtag ?? 0, {});
  return answer;
}

describe("a lost connection", () => {
  const twoOpen = (connection: BrokerConnection) => {
    const recorders = [new Recorder(), new Recorder()];
    connection.request({ topic: "a", matchtag: 1, streaming: true }, recorders[0] as Recorder);
    connection.request({ topic: "b", matchtag: 2 }, recorders[1] as Recorder);
    return recorders;
  };

  test.each([
    ["ends", (peer: FakePeer) => peer.socket.end()],
    ["is killed", (peer: FakePeer) => peer.socket.destroy()],
    ["ends inside a frame", (peer: FakePeer) => peer.socket.end(frameOf(1, { errnum: 61 }).subarray(0, 20))],
    ["sends garbage", (peer: FakePeer) => peer.socket.write("GET / HTTP/1.1\r\n\r\n")],
    [
      "sends a frame over the limit",
      (peer: FakePeer) => peer.socket.write(frameOf(1, { payload: "x".repeat(2000) })),
    ],
  ])("a broker that %s fails every open request", async (_, what) => {
    const { connection, peer } = await connected({}, { limit: 1000 });
    const recorders = twoOpen(connection);
    what(peer);
    const error = await connection.closed;
    expect(error).toMatchObject({ code: "ECONNRESET" });
    for (const recorder of recorders) {
      expect(recorder.events).toHaveLength(1);
      expect(await recorder.failure()).toMatchObject({ code: "ECONNRESET" });
    }
    expect(() => connection.request({ topic: "t" }, new Recorder())).toThrow(/over/);
    connection.send({ topic: "t" });
  });

  test("garbage is named as the cause", async () => {
    const { connection, peer } = await connected();
    peer.socket.write("garbage, garbage");
    expect((await connection.closed)?.cause).toBeInstanceOf(WireError);
  });

  test("what came before is handed out first", async () => {
    const { connection, peer } = await connected();
    const [streaming] = twoOpen(connection);
    peer.socket.end(Buffer.concat([frameOf(1, { payload: { n: 1 } }), frameOf(1, { errnum: 61 })]));
    await connection.closed;
    expect(streaming?.events).toEqual([["response", { n: 1 }], ["end"]]);
  });
});

describe("closing", () => {
  test("cancels what is open, sends what is waiting, and resolves closed with undefined", async () => {
    const { broker, connection, peer } = await connected();
    const recorder = new Recorder();
    connection.request({ topic: "t" }, recorder);
    connection.send({ topic: "last", payload: encodePayload({ text: "x".repeat(3_000_000) }) });
    connection.close();
    connection.close();
    expect(await recorder.failure()).toMatchObject({ code: "ECANCELED" });
    expect(await connection.closed).toBeUndefined();
    await peer.closed;
    await broker.until(() => peer.requests.at(-1)?.topic === "last");
  });

  test("does not wait for ever for a broker that reads nothing", async () => {
    const { connection, peer } = await connected();
    peer.socket.pause();
    connection.send({ topic: "last", payload: encodePayload({ text: "x".repeat(3_000_000) }) });
    connection.close();
    // The peer, which does not read either, learns of it when it writes.
    const writing = setInterval(() => peer.socket.write("x"), 10);
    await peer.closed;
    clearInterval(writing);
  });
});

describe("back-pressure", () => {
  test("a broker that does not read congests, and drains", async () => {
    const { connection, peer } = await connected();
    expect(connection.congested).toBe(false);
    await connection.drained();
    peer.socket.pause();
    connection.send({ topic: "t", payload: encodePayload({ text: "x".repeat(4_000_000) }) });
    expect(connection.congested).toBe(true);
    const drained = connection.drained();
    peer.socket.resume();
    await drained;
    expect(connection.congested).toBe(false);
  });

  test("the end of a connection is a drain too", async () => {
    const { connection, peer } = await connected();
    peer.socket.pause();
    connection.send({ topic: "t", payload: encodePayload({ text: "x".repeat(4_000_000) }) });
    const drained = connection.drained();
    peer.socket.destroy();
    await drained;
  });
});

describe("rpc", () => {
  test("resolves with the payload, {} without, and rejects with the error", async () => {
    const { connection } = await connected({
      respond: (request, peer) => {
        if (request.topic === "echo")
          peer.respond(request.matchtag, { payload: payloadOf(request) as object });
        else if (request.topic === "none") peer.respond(request.matchtag, {});
        else peer.respond(request.matchtag, { errnum: 38, payload: "unknown" });
      },
    });
    expect(await rpc(connection, "echo", { a: 1 })).toEqual({ a: 1 });
    expect(await rpc(connection, "none", undefined, { nodeid: 1 })).toEqual({});
    await expect(rpc(connection, "other")).rejects.toMatchObject({ code: "ENOSYS", message: "unknown" });
  });

  test("rejects when the connection is over", async () => {
    const { connection } = await connected();
    const open = rpc(connection, "never");
    connection.close();
    await expect(open).rejects.toMatchObject({ code: "ECANCELED" });
    await expect(rpc(connection, "never")).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("attributes are strings, and checked", async () => {
    const values: Record<string, object> = { rank: { value: "12" }, word: { value: "x" }, none: {} };
    const { connection } = await connected({
      respond: (request, peer) => {
        const { name } = payloadOf(request) as { name: string };
        peer.respond(request.matchtag, { payload: values[name] ?? {} });
      },
    });
    expect(await attrGet(connection, "word")).toBe("x");
    expect(await attrGetInteger(connection, "rank")).toBe(12);
    await expect(attrGet(connection, "none")).rejects.toMatchObject({ code: "EPROTO" });
    await expect(attrGetInteger(connection, "word")).rejects.toMatchObject({ code: "EPROTO" });
  });
});
