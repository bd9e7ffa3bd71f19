import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Action } from "../../../../proxy/auth/permissions.js";
import { Allowances } from "../../../../proxy/session/allowances.js";
import { FluxError } from "../../../../src/errors.js";
import { ALL_RANKS, encodeDataFrame } from "../../../../src/protocol/frame.js";
import { MAX_DATA, MAX_ID, OUTPUT_WINDOW } from "../../../../src/protocol/messages.js";
import { CLOSE } from "../../../../src/protocol/protocol-error.js";
import { type Harness, IDENTITY, json, MemoryBroker, openSession, settle } from "../support/memory.js";

const rpc = { type: "request", topic: "attr.list", nodeid: "any", streaming: false, payload: {} };
const exec = { ...rpc, topic: "rexec.exec", streaming: true, payload: { cmd: {}, flags: 11 } };
const attach = { ...rpc, topic: "rexec.attach", streaming: true, payload: { pid: 1, flags: 3 } };
const HELLO = '{"type":"hello","token":"t"}';

const input = (seq: number, id: number, data: Uint8Array, rank = ALL_RANKS) =>
  encodeDataFrame({ seq, id, rank, stream: "stdin", data });

describe("hello", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  test("gets a welcome with the broker's attributes", async () => {
    const { socket } = await openSession();
    expect(socket.texts.map((text) => JSON.parse(text))).toEqual([
      {
        type: "welcome",
        session: expect.any(String),
        rank: 1,
        size: 4,
        owner: 1000,
        userid: IDENTITY.userid,
        expires: IDENTITY.expires,
        time: expect.any(Number),
        grace: 120_000,
        resume: expect.stringMatching(/^[\w-]{43}$/),
        received: 0,
      },
    ]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(socket.closes).toEqual([]);
  });

  test("must come in time", async () => {
    const { socket, brokers } = await openSession({ hello: false });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(socket.closes).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(socket.closes).toMatchObject([{ code: CLOSE.timeout }]);
    expect(brokers).toEqual([]);
  });

  test("leaves no timer when the socket closes before", async () => {
    const { session, socket } = await openSession({ hello: false });
    session.closed();
    expect(vi.getTimerCount()).toBe(0);
    expect(socket.closes).toEqual([]);
  });

  test.each([
    ["not JSON", "x"],
    ["another message", '{"type":"ack","seq":1}'],
    ["no token", '{"type":"hello"}'],
  ])("that is %s is malformed", async (_, text) => {
    const { session, socket, brokers } = await openSession({ hello: false });
    session.text(text);
    await settle();
    expect(socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
    expect(brokers).toEqual([]);
  });

  test("in a binary message is malformed", async () => {
    const { session, socket } = await openSession({ hello: false });
    session.binary(new TextEncoder().encode(HELLO));
    expect(socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });

  test("with a token that is refused closes with the reason, and no broker is asked", async () => {
    const { socket, brokers } = await openSession({
      verify: () => Promise.reject(new FluxError("EACCES", "token has expired")),
    });
    expect(socket.closes).toEqual([{ code: CLOSE.unauthorized, reason: "token has expired" }]);
    expect(brokers).toEqual([]);
  });

  test.each([["text"], ["binary"]])(
    "followed by a %s message before the welcome is malformed",
    async (kind) => {
      let accept = () => {};
      const { session, socket, brokers } = await openSession({
        verify: () => new Promise((resolve) => (accept = () => resolve(IDENTITY))),
      });
      if (kind === "text") session.text('{"type":"ack","seq":1}');
      else session.binary(input(1, 1, new Uint8Array(1)));
      expect(socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
      accept();
      await settle();
      expect(brokers).toEqual([]);
      expect(socket.texts).toEqual([]);
    },
  );

  test("to a broker that cannot be reached closes with 4503 and a reason that fits", async () => {
    const { socket } = await openSession({
      connectBroker: () => Promise.reject(new FluxError("ENOENT", `no broker at ${"é".repeat(100)}`)),
    });
    expect(socket.closes).toMatchObject([{ code: CLOSE.brokerLost }]);
    expect(new TextEncoder().encode(socket.closes[0]?.reason).length).toBeLessThanOrEqual(123);
  });

  test("to a broker that talks nonsense closes with 4503", async () => {
    const broker = new MemoryBroker();
    broker.attributes = { rank: "x" };
    const { socket } = await openSession({ connectBroker: async () => broker });
    expect(socket.closes).toMatchObject([{ code: CLOSE.brokerLost }]);
    expect(broker.isClosed).toBe(true);
  });

  test("that finds a fault in the proxy closes with 4500 and reports it", async () => {
    const fault = new Error("bug with a secret");
    const { socket, faults } = await openSession({ verify: () => Promise.reject(fault) });
    expect(socket.closes).toEqual([{ code: CLOSE.internal, reason: "a fault in the proxy" }]);
    expect(faults).toEqual([fault]);
  });

  test("of a client that has gone meanwhile opens nothing that stays open", async () => {
    const broker = new MemoryBroker();
    let connect = (_: MemoryBroker) => {};
    const { session, socket } = await openSession({
      connectBroker: () => new Promise((resolve) => (connect = resolve)),
    });
    session.closed();
    connect(broker);
    await settle();
    expect(broker.isClosed).toBe(true);
    expect(socket.texts).toEqual([]);
  });
});

describe("sequence", () => {
  test.each([[2], [5]])("a first message with number %i closes with 4412", async (seq) => {
    const { session, socket, broker } = await openSession();
    session.text(JSON.stringify({ ...rpc, id: 1, seq }));
    expect(socket.closes).toMatchObject([{ code: CLOSE.outOfSequence }]);
    expect(broker.calls).toEqual([]);
    expect(broker.isClosed).toBe(true);
  });

  test("text and binary share it, and acks have none", async () => {
    const { session, socket, next } = await openSession();
    next({ ...exec, id: 1, payload: { flags: 3 } });
    session.binary(input(2, 1, new Uint8Array(1)));
    session.binary(input(2, 1, new Uint8Array(1)));
    expect(socket.closes).toMatchObject([{ code: CLOSE.outOfSequence }]);
  });

  test("an ack of a message that was never sent is malformed", async () => {
    const { session, socket } = await openSession();
    session.text('{"type":"ack","seq":1}');
    expect(socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });
});

test("a ping gets a pong, unless the client does not read", async () => {
  const { session, socket } = await openSession();
  session.text('{"type":"ping"}');
  expect(socket.others).toEqual([{ type: "pong" }]);
  socket.bufferedAmount = 1024 * 1024;
  session.text('{"type":"ping"}');
  expect(socket.others).toHaveLength(1);
});

describe("requests", () => {
  let h: Harness;
  beforeEach(async () => {
    h = await openSession();
  });

  test("go to each rank with an id of its own and the payload as it is", () => {
    h.next({ ...rpc, id: 5, nodeid: "0,2-3", payload: { é: [1, null] } });
    expect(h.broker.calls.map(({ call }) => [call.matchtag, call.nodeid, json(call)])).toEqual([
      [5, 0, { é: [1, null] }],
      [6, 2, { é: [1, null] }],
      [7, 3, { é: [1, null] }],
    ]);
  });

  test('to "any" go to any, and are answered for the broker\'s rank', () => {
    h.next({ ...rpc, id: 5 });
    expect(h.broker.calls[0]?.call.nodeid).toBeUndefined();
    h.broker.handler(5).response(undefined);
    expect(h.socket.messages).toEqual([{ type: "response", seq: 1, id: 5, rank: 1, payload: {} }]);
  });

  test('to "all" go to every rank', () => {
    h.next({ ...rpc, id: 5, nodeid: "all" });
    expect(h.broker.calls.map(({ call }) => call.nodeid)).toEqual([0, 1, 2, 3]);
  });

  test("each rank has its own last message", () => {
    h.next({ ...rpc, id: 5, nodeid: "0-2", streaming: true });
    h.broker.handler(7).error(new FluxError(113));
    h.broker.handler(6).response({ a: 1 });
    h.broker.handler(6).end();
    h.broker.handler(5).error(new FluxError(2, "no such thing"));
    expect(h.socket.messages).toEqual([
      { type: "error", seq: 1, id: 5, rank: 2, errno: 113, message: "No route to host" },
      { type: "response", seq: 2, id: 5, rank: 1, payload: { a: 1 } },
      { type: "end", seq: 3, id: 5, rank: 1 },
      { type: "error", seq: 4, id: 5, rank: 0, errno: 2, message: "no such thing" },
    ]);
  });

  test.each([[5], [6], [7]])("an id in use (%i) closes with 4409", (id) => {
    h.next({ ...rpc, id: 5, nodeid: "0-2" });
    h.next({ ...rpc, id });
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.idInUse }]);
  });

  test("a range that overlaps an id in use closes with 4409", () => {
    h.next({ ...rpc, id: 6 });
    h.next({ ...rpc, id: 5, nodeid: "0-1" });
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.idInUse }]);
  });

  test("ids are free again when every rank is over", () => {
    h.next({ ...rpc, id: 5, nodeid: "0-1" });
    h.broker.handler(5).response({});
    h.broker.handler(6).error(new FluxError(1));
    h.next({ ...rpc, id: 5, nodeid: "0-1" });
    expect(h.socket.closes).toEqual([]);
  });

  test("ids over the last one are malformed", () => {
    h.next({ ...rpc, id: MAX_ID, nodeid: "0-1" });
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
    expect(h.broker.calls).toEqual([]);
  });

  test("a request that would become too much fails at every rank", async () => {
    h.broker.attributes["size"] = "10000";
    h = await openSession({ connectBroker: async () => h.broker });
    h.next({ ...rpc, id: 1, nodeid: "0-9999", payload: { text: "x".repeat(100_000) } });
    expect(h.broker.calls).toEqual([]);
    expect(h.socket.messages).toMatchObject([{ type: "error", errno: 90, ranks: "0-9999" }]);
  });

  test("ranks that do not exist are answered in one message, and the broker does not hear of them", () => {
    h.next({ ...rpc, id: 1, nodeid: "2-65537" });
    expect(h.broker.calls.map(({ call }) => [call.nodeid, call.matchtag])).toEqual([
      [2, 1],
      [3, 2],
    ]);
    const error = { type: "error", seq: 1, id: 1, ranks: "4-65537", errno: 113, message: "no such rank" };
    expect(h.socket.messages).toEqual([error]);
    // The ids are in use until those that exist have answered.
    h.broker.handler(1).response({});
    h.broker.handler(2).response({});
    h.next({ ...rpc, id: 65_536 });
    expect(h.socket.closes).toEqual([]);
    h.next({ ...rpc, id: 1, nodeid: "2,4" });
    h.next({ ...rpc, id: 2 });
    expect(h.socket.closes).toEqual([{ code: CLOSE.idInUse, reason: "id 2 is in use" }]);
  });

  test("of ranks that do not exist alone is over at once, in whatever form", async () => {
    const requests = [rpc, exec, attach, { ...rpc, topic: "rexec.list", streaming: true }];
    for (const request of requests) h.next({ ...request, id: 1, nodeid: "9" });
    await settle();
    expect(h.socket.messages).toEqual(
      requests.map((_, i) => ({
        type: "error",
        seq: i + 1,
        id: 1,
        rank: 9,
        errno: 113,
        message: "no such rank",
      })),
    );
    expect([h.broker.calls, h.brokers.length, h.socket.closes]).toEqual([[], 1, []]);
  });

  test("a payload nested deeper than can be written is malformed", () => {
    const text = JSON.stringify({ ...rpc, id: 1, seq: 1, payload: { a: "deep" } });
    h.session.text(text.replace('"deep"', "[".repeat(200_000) + "]".repeat(200_000)));
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });

  test("are acknowledged when they were passed on, and the broker has caught up", async () => {
    for (let id = 1; id < 64; id++) h.next({ ...rpc, id });
    expect(h.socket.others).toEqual([]);
    h.broker.congested = true;
    h.next({ ...rpc, id: 64 });
    h.next({ ...rpc, id: 65 });
    expect(h.socket.others).toEqual([]);
    h.broker.drain();
    await settle();
    expect(h.socket.others).toEqual([{ type: "ack", seq: 65 }]);
  });
});

describe("process output", () => {
  let h: Harness;
  beforeEach(async () => {
    h = await openSession();
    h.next({ ...exec, id: 1, nodeid: "0-1" });
  });
  const output = (io: unknown, type = "output") => h.broker.handler(1).response({ type, pid: 1, io });

  test("is bytes, whatever its encoding", () => {
    output({ stream: "stdout", rank: "0", data: "é\0" });
    output({ stream: "stderr", rank: "0", data: "/w==", encoding: "base64", eof: true });
    output({ stream: "stdout", rank: "0", eof: true });
    const at = { id: 1, rank: 0 };
    expect(h.socket.messages).toEqual([
      { type: "data", seq: 1, ...at, stream: "stdout", data: Uint8Array.of(0xc3, 0xa9, 0) },
      { type: "data", seq: 2, ...at, stream: "stderr", data: Uint8Array.of(0xff) },
      { type: "eof", seq: 3, ...at, stream: "stderr" },
      { type: "eof", seq: 4, ...at, stream: "stdout" },
    ]);
  });

  test("is split into frames of 64 KiB", () => {
    output({ stream: "stdout", rank: "0", data: "x".repeat(MAX_DATA + 1) });
    const sizes = h.socket.messages.map((m) => (m.type === "data" ? m.data.length : -1));
    expect(sizes).toEqual([65_536, 65_536, 65_536, 65_536, 1]);
  });

  test("other responses pass as they are, known or not", () => {
    const payloads = [{ type: "started", pid: 7 }, { type: "finished", status: 256 }, { type: "later" }, {}];
    for (const payload of payloads) h.broker.handler(2).response(payload);
    expect(h.socket.messages).toEqual(
      payloads.map((payload, i) => ({ type: "response", seq: i + 1, id: 1, rank: 1, payload })),
    );
  });

  test("of a request that is no exec passes as it is", () => {
    h.next({ ...rpc, id: 9, streaming: true, topic: "attr.list" });
    h.next({ ...exec, id: 10, streaming: false });
    for (const id of [9, 10]) h.broker.handler(id).response({ type: "output", io: 1 });
    expect(h.socket.messages.map(({ type }) => type)).toEqual(["response", "response"]);
  });

  test.each([
    [undefined],
    [{ rank: "0", data: "x" }],
    [{ stream: "", rank: "0", data: "x" }],
    [{ stream: "x".repeat(256), rank: "0", data: "x" }],
    [{ stream: "stdout", data: 1 }],
    [{ stream: "stdout", data: "!", encoding: "base64" }],
    [{ stream: "stdout", data: "x", encoding: "latin1" }],
    [{ stream: "stdout", data: "x", encoding: 1 }],
    [{ stream: "stdout", eof: "yes" }],
  ])("with the I/O object %j fails its rank with EPROTO, and that alone", (io) => {
    output(io);
    output({ stream: "stdout", rank: "0", data: "late" });
    h.broker.handler(2).response({ type: "started", pid: 1 });
    expect(h.socket.messages).toMatchObject([
      { type: "error", rank: 0, errno: 71 },
      { type: "response", rank: 1 },
    ]);
    // The broker may still answer under the rank's matchtag, so the ids are in use until it has ended.
    h.broker.handler(2).end();
    h.broker.handler(1).end();
    h.next({ ...exec, id: 1, nodeid: "0-1" });
    expect(h.socket.messages).toHaveLength(3);
    expect(h.socket.closes).toEqual([]);
  });

  test.each([[undefined], [{ stdin: -1 }], [{ stdin: 1.5 }], [{ stdin: "1" }], [{ "": 1 }]])(
    "credit for the channels %j is EPROTO",
    (channels) => {
      h.broker.handler(1).response({ type: "add-credit", channels });
      expect(h.socket.messages).toMatchObject([{ type: "error", rank: 0, errno: 71 }]);
    },
  );
});

describe("process input", () => {
  let h: Harness;
  let seq: number;
  beforeEach(async () => {
    h = await openSession();
    seq = 1;
  });
  const start = (request: object) => h.next({ ...exec, id: 1, nodeid: "0,3", ...request });
  const send = (data: Uint8Array | string, id = 1) => {
    h.session.binary(input(++seq, id, typeof data === "string" ? new TextEncoder().encode(data) : data));
  };
  const eof = (id = 1) => h.session.text(JSON.stringify({ type: "eof", seq: ++seq, id, stream: "stdin" }));
  const grant = (matchtag: number, bytes: number) =>
    h.broker.handler(matchtag).response({ type: "add-credit", channels: { stdin: bytes } });
  const writes = () => h.broker.sent.map((request) => [request.topic, request.nodeid, json(request)]);

  test("goes to each rank in RFC 42 writes", () => {
    start({ topic: "1000-shell-f1.rexec.exec", payload: { flags: 3 } });
    send("é");
    send(Uint8Array.of(0xff));
    eof();
    const topic = "1000-shell-f1.rexec.write";
    const io = (rank: string, rest: object) => ({ stream: "stdin", rank, ...rest });
    expect(writes()).toEqual(
      [{ data: "é" }, { data: "/w==", encoding: "base64" }, { eof: true }].flatMap((rest) => [
        [topic, 0, { matchtag: 1, io: io("0", rest) }],
        [topic, 3, { matchtag: 2, io: io("3", rest) }],
      ]),
    );
  });

  test("goes to any where the exec did", () => {
    start({ nodeid: "any", payload: { flags: 3 } });
    send("x");
    expect(writes()).toEqual([
      ["rexec.write", undefined, { matchtag: 1, io: { stream: "stdin", rank: "1", data: "x" } }],
    ]);
  });

  test("goes to no rank that is over, and to none at all after the last", () => {
    start({ payload: { flags: 3 } });
    h.broker.handler(1).end();
    send("x");
    expect(writes()).toHaveLength(1);
    h.broker.handler(2).end();
    send("x");
    eof();
    expect(writes()).toHaveLength(1);
    expect(h.socket.closes).toEqual([]);
  });

  test("credit is announced as the slowest rank has it, and no more may be sent", () => {
    start({});
    grant(1, 100);
    expect(h.socket.messages).toEqual([]);
    grant(2, 10);
    expect(h.socket.messages).toEqual([{ type: "credit", seq: 1, id: 1, stream: "stdin", bytes: 10 }]);
    send("x".repeat(10));
    expect(writes()).toHaveLength(2);
    send("x");
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
    expect(writes()).toHaveLength(2);
  });

  test("a rank that is over no longer holds the others back", () => {
    start({});
    grant(1, 100);
    h.broker.handler(2).error(new FluxError(113));
    expect(h.socket.messages).toMatchObject([{ type: "error" }, { type: "credit", bytes: 100 }]);
  });

  test("before any credit closes with 4429", () => {
    start({});
    send("x");
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
  });

  describe("for a server that gives no credit", () => {
    const WINDOW = 64 * 1024;
    const without = (more: object = {}) => start({ topic: "sdexec.exec", payload: { flags: 3 }, ...more });
    const credits = () => h.socket.messages.filter(({ type }) => type === "credit");
    const pings = () => h.broker.calls.filter(({ call }) => call.topic === "sdexec.ping");

    test("has the proxy's, and not before the server has answered any more", () => {
      without({ nodeid: "0" });
      expect(credits()).toEqual([{ type: "credit", seq: 1, id: 1, stream: "stdin", bytes: WINDOW }]);
      send(new Uint8Array(WINDOW - 1));
      expect(pings().map(({ call }) => call.nodeid)).toEqual([0]);
      send("x");
      expect([credits().length, pings().length]).toEqual([1, 1]);
      pings()[0]?.handler.error(new FluxError("ENOSYS"));
      expect(credits()[1]).toMatchObject({ bytes: WINDOW - 1 });
      // Input after the first ping waits for the answer to the next.
      pings()[1]?.handler.response({});
      expect(credits()[2]).toMatchObject({ bytes: 1 });
      expect(pings()).toHaveLength(2);
      send(new Uint8Array(WINDOW));
      expect(h.socket.closes).toEqual([]);
      send("x");
      expect(h.socket.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
    });

    test("has that of the slowest rank, until that is over", () => {
      without();
      send("12345");
      pings()[0]?.handler.response({});
      expect(credits()).toHaveLength(1);
      h.broker.handler(2).error(new FluxError("EHOSTUNREACH"));
      expect(credits()[1]).toMatchObject({ bytes: 5 });
    });

    test("has none for channels where there are none, and for each where there are", () => {
      const payload = { flags: 3, cmd: { channels: ["a", "a", "", 7, "b"] } };
      without({ payload, nodeid: "0" });
      start({ payload, id: 5, topic: "rexec.exec", nodeid: "0" });
      expect(credits().map((credit) => "stream" in credit && [credit.id, credit.stream])).toEqual([
        [1, "stdin"],
        [5, "stdin"],
        [5, "a"],
        [5, "b"],
      ]);
    });

    test("is not asked for after the process, nor given with the server's own", () => {
      without({ nodeid: "0" });
      send("x");
      h.broker.handler(1).end();
      pings()[0]?.handler.response({});
      expect(credits()).toHaveLength(1);
      seq = 2;
      h.next({ ...exec, id: 7, nodeid: "0" });
      expect(credits()).toHaveLength(1);
    });
  });

  test("of an exec that the token does not allow it for is refused in the place of credit", async () => {
    const scope = new Set<Action>(["exec"]);
    h = await openSession({ verify: async () => ({ ...IDENTITY, permissions: { scope } }) });
    start({});
    grant(1, 100);
    expect(h.socket.messages).toEqual([]);
    grant(2, 10);
    grant(2, 10);
    const message = "token does not allow write: scope";
    expect(h.socket.messages).toEqual([
      { type: "refused", seq: 1, id: 1, stream: "stdin", bytes: 0, errno: 1, message },
    ]);
    send("x");
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
    expect(writes()).toHaveLength(0);
  });

  test("that the proxy would give the credit for, and the token does not allow, is refused", async () => {
    const scope = new Set<Action>(["exec"]);
    h = await openSession({ verify: async () => ({ ...IDENTITY, permissions: { scope } }) });
    start({ payload: { flags: 3 } });
    send("x");
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
    const message = "token does not allow write: scope";
    expect(h.socket.messages).toEqual([
      { type: "refused", seq: 1, id: 1, stream: "stdin", bytes: 0, errno: 1, message },
    ]);
    expect(writes()).toEqual([]);
  });

  test.each([
    ["a request that is no process", { topic: "attr.list" }],
    ["an attach", { topic: "rexec.attach" }],
    ["a background exec", { streaming: false }],
  ])("for %s is malformed", (_, request) => {
    start(request);
    send("x");
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });

  test("for an id that is not the first of its request is malformed", () => {
    start({});
    eof(2);
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });

  test("for an id that is over is dropped", () => {
    start({ nodeid: "any" });
    h.broker.handler(1).end();
    send("x");
    eof();
    expect(h.socket.closes).toEqual([]);
    expect(writes()).toEqual([]);
  });

  test("for one rank is malformed", () => {
    start({});
    h.session.binary(input(2, 1, new Uint8Array(1), 0));
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });

  test("of more than 256 KiB in a message is malformed", () => {
    start({});
    grant(1, 2 * MAX_DATA);
    grant(2, 2 * MAX_DATA);
    send(new Uint8Array(MAX_DATA));
    expect(h.socket.closes).toEqual([]);
    send(new Uint8Array(MAX_DATA + 1));
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });
});

describe("attach", () => {
  let h: Harness;
  beforeEach(async () => {
    h = await openSession();
  });
  const start = async () => {
    h.next({ ...attach, id: 1, nodeid: "0-1" });
    await settle();
  };

  test("has a connection of its own, which ends with it", async () => {
    await start();
    const [main, own] = h.brokers;
    expect(main?.calls).toEqual([]);
    expect(own?.calls.map(({ call }) => [call.matchtag, call.streaming])).toEqual([
      [1, true],
      [2, true],
    ]);
    own?.handler(1).response({ type: "attached", pid: 1 });
    own?.handler(1).end();
    expect(own?.isClosed).toBe(false);
    own?.handler(2).end();
    expect(own?.isClosed).toBe(true);
    expect(main?.isClosed).toBe(false);
    expect(h.socket.messages.map(({ type }) => type)).toEqual(["response", "end", "end"]);
  });

  test("one more than a session may have is EMFILE, opens nothing, and is welcome once another has ended", async () => {
    h = await openSession({ allowances: new Allowances(8) });
    for (let id = 1; id <= 3; id++) h.next({ ...attach, id });
    await settle();
    expect(h.brokers).toHaveLength(3);
    const message = "a session may have 2 attaches open";
    expect(h.socket.messages).toMatchObject([{ type: "error", id: 3, errno: 24, message }]);
    h.brokers[1]?.handler(1).end();
    h.next({ ...attach, id: 4 });
    await settle();
    expect(h.brokers).toHaveLength(4);
    expect(h.socket.closes).toEqual([]);
  });

  test("of a subject and of the proxy there are only some, and the end of a session gives them back", async () => {
    const allowances = new Allowances(4);
    const [a, b, c] = ["alice", "alice", "bob"].map((sub) => ({ sub, ...allowances.open(sub) }));
    const { attaches } = { attaches: [a, b, c].map((each) => each?.attaches) };
    expect(attaches.map((each) => each?.take(1))).toEqual([undefined, undefined, undefined]);
    expect(attaches[0]?.take(1)).toBe("a session may have 1 attaches open");
    const d = allowances.open("alice");
    expect(d.attaches.take(1)).toBe("a subject may have 2 attaches open");
    if (a) allowances.close("alice", a);
    expect(d.attaches.take(1)).toBeUndefined();
    expect(allowances.open("bob").attaches.take(1)).toBeUndefined();
    expect(allowances.open("carol").attaches.take(1)).toBe("the proxy may have 4 attaches open");
  });

  test("detach closes it and cancels the ranks that are not over", async () => {
    await start();
    h.brokers[1]?.handler(1).end();
    h.next({ type: "detach", id: 1 });
    expect(h.brokers[1]?.isClosed).toBe(true);
    expect(h.socket.messages).toMatchObject([
      { type: "end", rank: 0 },
      { type: "error", rank: 1, errno: 125 },
    ]);
    h.next({ type: "detach", id: 1 });
    h.next({ ...attach, id: 1 });
    await settle();
    expect(h.brokers).toHaveLength(3);
    expect(h.socket.closes).toEqual([]);
  });

  test("detach before there is a connection leaves none", async () => {
    h.next({ ...attach, id: 1 });
    h.next({ type: "detach", id: 1 });
    await settle();
    expect(h.socket.messages).toMatchObject([{ type: "error", errno: 125 }]);
    expect(h.brokers[1]?.isClosed).toBe(true);
    expect(h.brokers[1]?.calls).toEqual([]);
  });

  test("detach of another request than an attach is malformed", async () => {
    h.next({ ...exec, id: 1 });
    h.next({ type: "detach", id: 1 });
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });

  test("a connection that cannot be opened fails every rank, not the session", async () => {
    let first = true;
    const main = new MemoryBroker();
    h = await openSession({
      connectBroker: async () => {
        if (!first) throw new FluxError("EAGAIN", "busy");
        first = false;
        return main;
      },
    });
    await start();
    expect(h.socket.messages).toMatchObject([{ type: "error", ranks: "0-1", errno: 11, message: "busy" }]);
    expect(h.socket.closes).toEqual([]);
  });

  test("a connection of its own that is lost fails its ranks, not the session", async () => {
    await start();
    h.brokers[1]?.lose();
    await settle();
    expect(h.socket.messages).toMatchObject([{ errno: 104 }, { errno: 104 }]);
    expect(h.socket.closes).toEqual([]);
  });
});

describe("the end", () => {
  test("a broker that is lost fails every rank, then closes with 4503", async () => {
    const { socket, broker, next } = await openSession();
    next({ ...exec, id: 1, nodeid: "0-1" });
    next({ ...attach, id: 5 });
    await settle();
    broker.lose();
    await settle();
    expect(socket.messages).toMatchObject([
      { type: "error", id: 1, rank: 0, errno: 104 },
      { type: "error", id: 1, rank: 1, errno: 104 },
      { type: "error", id: 5, rank: 1, errno: 104 },
    ]);
    expect(socket.closes).toEqual([{ code: CLOSE.brokerLost, reason: "broker closed the connection" }]);
  });

  test("a lost broker closes the socket only after the waiting messages", async () => {
    const { socket, broker, next } = await openSession();
    next({ ...exec, id: 1 });
    // More than one stream may have in the window.
    const data = "x".repeat(OUTPUT_WINDOW / 2 + 1);
    broker.handler(1).response({ type: "output", io: { stream: "stdout", rank: "1", data } });
    broker.lose();
    await settle();
    expect(socket.closes).toEqual([]);
    next({ ...rpc, id: 2 });
    expect(socket.messages.at(-1)).toMatchObject({ type: "error", id: 2, errno: 104 });
    const received = () =>
      socket.messages.reduce((sum, m) => sum + (m.type === "data" ? m.data.length : 0), 0);
    expect(received()).toBeLessThan(data.length);
    for (let consumed = 0; received() > consumed; ) {
      const bytes = received() - consumed;
      consumed += bytes;
      next({ type: "consumed", id: 1, rank: 1, stream: "stdout", bytes });
    }
    expect(received()).toBe(data.length);
    expect(socket.messages.at(-1)).toMatchObject({ type: "error", id: 1, errno: 104 });
    expect(socket.closes).toMatchObject([{ code: CLOSE.brokerLost }]);
  });

  test.each([
    ["by its client", {}, CLOSE.normal],
    ["when its page is left", {}, CLOSE.goingAway],
    ["where there is no grace", { graceMs: 0 }, undefined],
  ])("of the WebSocket %s closes all connections and says nothing", async (_, options, code) => {
    const { session, sessions, socket, brokers, next } = await openSession(options);
    next({ ...attach, id: 1 });
    await settle();
    session.closed(code);
    expect(sessions.size).toBe(0);
    expect(brokers.map(({ isClosed }) => isClosed)).toEqual([true, true]);
    expect(socket.closes).toEqual([]);
    expect(socket.messages).toEqual([]);
  });

  test("of the proxy closes with 1001, once", async () => {
    const { session, socket, broker } = await openSession();
    session.shutdown();
    session.shutdown();
    session.text("late");
    session.binary(new Uint8Array(3));
    session.drained();
    expect(socket.closes).toMatchObject([{ code: CLOSE.goingAway }]);
    expect(broker.isClosed).toBe(true);
  });

  test("a handler that finds a fault closes that session with 4500", async () => {
    const { socket, broker, faults, next } = await openSession();
    next({ ...rpc, id: 1 });
    socket.sendText = () => {
      throw new Error("bug");
    };
    broker.handler(1).response({});
    expect(socket.closes).toMatchObject([{ code: CLOSE.internal }]);
    expect(faults).toHaveLength(1);
  });
});

describe("any message of a client", () => {
  const codes = new Set<number>([CLOSE.malformed, CLOSE.idInUse, CLOSE.outOfSequence, CLOSE.creditOverrun]);
  const field = fc.oneof(fc.integer({ min: -1, max: 5 }), fc.string({ maxLength: 3 }), fc.jsonValue());
  const message = fc.record(
    {
      type: fc.oneof(
        fc.constantFrom("request", "eof", "detach", "ack", "hello", "write", "token", "proof"),
        fc.string({ maxLength: 4 }),
      ),
      id: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(MAX_ID, MAX_ID + 1), field),
      topic: fc.oneof(fc.constantFrom("rexec.exec", "rexec.attach", "exec", ".exec", "a.b"), field),
      nodeid: fc.oneof(fc.constantFrom("any", "all", "0-2", "7", "[1]", "0-65535"), field),
      streaming: fc.oneof(fc.boolean(), field),
      sign: fc.oneof(fc.boolean(), field),
      rank: fc.oneof(fc.nat(3), field),
      bytes: fc.oneof(fc.nat(3), field),
      signature: fc.oneof(fc.constant("dg==.e30=.x"), field),
      token: fc.oneof(fc.constant("t"), field),
      payload: fc.oneof(
        fc.constantFrom<object[]>(
          { flags: 8 },
          {},
          { signature: 7 },
          { signature: "dg==.e30=.x" },
          { pid: 1 },
        ),
        fc.dictionary(fc.string(), fc.jsonValue()),
        field,
      ),
      stream: fc.oneof(fc.constant("stdin"), field),
    },
    { requiredKeys: ["type"] },
  );
  const anything = fc.oneof(
    fc.record({ numbered: message }),
    fc.record({ text: fc.oneof(fc.string(), fc.json()) }),
    fc.record({ binary: fc.uint8Array({ maxLength: 40 }) }),
    fc.record({ input: fc.uint8Array({ maxLength: 5 }), id: fc.integer({ min: 0, max: 6 }) }),
    fc.record({ answer: fc.jsonValue(), of: fc.nat(5), how: fc.constantFrom("response", "error", "end") }),
    fc.record({ lose: fc.constant(true) }),
  );

  test("the session stays, or closes with a code of PROTOCOL.md, and never throws", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 25 }), async (steps) => {
        const { session, socket, brokers, broker, faults } = await openSession();
        let seq = 0;
        let lost = false;
        for (const step of steps) {
          if ("numbered" in step) session.text(JSON.stringify({ ...step.numbered, seq: ++seq }));
          else if ("text" in step) session.text(step.text);
          else if ("binary" in step) session.binary(step.binary);
          else if ("input" in step) session.binary(input(++seq, step.id, step.input));
          else if ("answer" in step) {
            const open = brokers.flatMap(({ calls }) => calls)[step.of];
            if (step.how === "response") open?.handler.response(step.answer as Record<string, unknown>);
            else if (step.how === "error") open?.handler.error(new FluxError(5));
            else open?.handler.end();
          } else if (!lost) {
            lost = true;
            broker.lose();
          }
          if (Math.abs(seq) % 3 === 0) await settle();
        }
        await settle();
        expect(faults).toEqual([]);
        expect(socket.closes.length).toBeLessThanOrEqual(1);
        for (const { code } of socket.closes) {
          expect(codes.has(code) || (lost && code === CLOSE.brokerLost)).toBe(true);
          expect(brokers.every(({ isClosed }) => isClosed || lost)).toBe(true);
        }
        session.closed();
      }),
      { numRuns: 300 },
    );
  });

  test("before the welcome every message but a hello closes with 4400", () => {
    return fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.uint8Array()), async (garbage) => {
        const { session, socket, brokers } = await openSession({ hello: false });
        if (typeof garbage === "string") session.text(garbage);
        else session.binary(garbage);
        await settle();
        expect(socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
        expect(brokers).toEqual([]);
      }),
    );
  });
});
