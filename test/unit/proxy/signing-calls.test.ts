/** Requests and input that the proxy signs, and those that the client has signed, in a session without I/O. */
import { beforeEach, describe, expect, test } from "vitest";
import { FluxError } from "../../../src/errors.js";
import { ALL_RANKS, encodeDataFrame } from "../../../src/protocol/frame.js";
import { CLOSE } from "../../../src/protocol/protocol-error.js";
import { noneSigner } from "../../../src/signing/none.js";
import { parseSignature } from "../../../src/signing/signature.js";
import { type Signer, signedPayload } from "../../../src/signing/signer.js";
import { type Harness, IDENTITY, json, type MemoryBroker, openSession, settle } from "./support/memory.js";

const rpc = { type: "request", topic: "attr.list", nodeid: "any", streaming: false, payload: {} };
const exec = {
  ...rpc,
  topic: "s.rexec.exec",
  streaming: true,
  payload: { cmd: { cmdline: ["x"] }, flags: 3 },
};
const list = { ...rpc, topic: "rexec.list" };

/** A signer that signs at the test's command, in any order. */
class SlowSigner implements Signer {
  readonly mechanism = "none";
  readonly userid = IDENTITY.userid;
  readonly waiting: { payload: string; settle: (error?: Error) => void }[] = [];
  sign(payload: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const settle = (error?: Error) =>
        error ? reject(error) : resolve(noneSigner(this.userid).sign(payload));
      this.waiting.push({ payload, settle });
    });
  }
  async next(error?: Error): Promise<void> {
    this.waiting.shift()?.settle(error);
    await settle();
  }
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** The signed content of a request, which must hold nothing else. */
function content(request: Parameters<typeof json>[0]): unknown {
  const payload = json(request) as { signature: string };
  expect(Object.keys(payload)).toEqual(["signature"]);
  return JSON.parse(new TextDecoder().decode(parseSignature(payload.signature).payload));
}

/** The client's requests, without the proxy's pings of a server that gives no credit for input. */
const requests = (broker: MemoryBroker) =>
  broker.calls.map(({ call }) => [call.topic, call.nodeid]).filter(([topic]) => topic !== "s.rexec.ping");

describe("signed by the proxy", () => {
  let signer: SlowSigner;
  let h: Harness;
  let seq: number;
  beforeEach(async () => {
    signer = new SlowSigner();
    h = await openSession({ signer });
    seq = 0;
  });
  const request = (message: object) => h.session.text(JSON.stringify({ ...message, seq: ++seq }));
  const input = (data: string, id = 1) =>
    h.session.binary(
      encodeDataFrame({ seq: ++seq, id, rank: ALL_RANKS, stream: "stdin", data: bytes(data) }),
    );

  test("a request and its input go out signed, alone and in order, though it takes time", async () => {
    request({ ...exec, id: 1, nodeid: "0-1", sign: true });
    input("one");
    request({ type: "eof", id: 1, stream: "stdin" });
    request({ ...list, id: 9 });
    await settle();
    expect([h.broker.calls, h.broker.sent]).toEqual([[], []]);
    await signer.next();
    expect(requests(h.broker)).toEqual([
      ["s.rexec.exec", 0],
      ["s.rexec.exec", 1],
    ]);
    const { call: first } = h.broker.calls[0] ?? {};
    expect(content(first as never)).toEqual({ ...exec.payload, topic: "s.rexec.exec" });
    for (let i = 1; i <= 4; i++) {
      expect(h.broker.sent).toHaveLength(i - 1);
      await signer.next();
    }
    const io = (rank: string, rest: object) => ({ stream: "stdin", rank, ...rest });
    const topic = "s.rexec.write";
    expect(h.broker.sent.map((sent) => [sent.topic, sent.nodeid, content(sent)])).toEqual([
      [topic, 0, { matchtag: 1, io: io("0", { data: "one" }), topic }],
      [topic, 1, { matchtag: 2, io: io("1", { data: "one" }), topic }],
      [topic, 0, { matchtag: 1, io: io("0", { eof: true }), topic }],
      [topic, 1, { matchtag: 2, io: io("1", { eof: true }), topic }],
    ]);
    // An unsigned request waits for the requests before it.
    expect(requests(h.broker).slice(2)).toEqual([["rexec.list", undefined]]);
    expect(signer.waiting).toEqual([]);
  });

  test("a request without sign is not signed, and does not wait", async () => {
    request({ ...exec, id: 1, sign: false });
    input("x");
    expect(requests(h.broker)).toEqual([["s.rexec.exec", undefined]]);
    expect(h.broker.sent.map(json)).toMatchObject([{ io: { data: "x" } }]);
    expect(signer.waiting).toEqual([]);
  });

  test("a signer that fails is EPERM with its reason at every rank, and nothing is sent", async () => {
    request({ ...exec, id: 1, nodeid: "0-1", sign: true });
    await signer.next(new FluxError("ETIMEDOUT", "munged does not answer"));
    expect(h.broker.calls).toEqual([]);
    const message = "the proxy cannot sign: munged does not answer";
    expect(h.socket.messages).toEqual([
      { type: "credit", seq: 1, id: 1, stream: "stdin", bytes: 65536 },
      { type: "error", seq: 2, id: 1, ranks: "0-1", errno: 1, message },
    ]);
    // Input that was on its way is dropped, and the ids are free.
    input("x");
    request({ ...list, id: 1 });
    await settle();
    expect(requests(h.broker)).toEqual([["rexec.list", undefined]]);
    expect(h.broker.sent).toEqual([]);
    expect(h.socket.closes).toEqual([]);
  });

  test("a signer that fails at input ends the request: the process would miss a piece", async () => {
    request({ ...exec, id: 1, sign: true });
    await signer.next();
    input("one");
    input("two");
    await signer.next(new Error("no key"));
    await signer.next();
    expect(h.broker.sent).toEqual([]);
    expect(h.socket.messages).toMatchObject([
      { type: "credit" },
      { errno: 1, message: "the proxy cannot sign: no key" },
    ]);
    h.broker.handler(1).response({ type: "finished", status: 0 });
    h.broker.handler(1).end();
    expect(h.socket.messages).toHaveLength(2);
    request({ ...list, id: 1 });
    expect(h.socket.closes).toEqual([]);
  });

  test("nothing is sent after the session", async () => {
    request({ ...exec, id: 1, sign: true });
    request({ ...list, id: 5 });
    h.session.closed(1000);
    await signer.next();
    expect(h.broker.calls).toEqual([]);
  });

  test("nothing is sent of an attach that was detached meanwhile", async () => {
    request({ ...exec, topic: "rexec.attach", payload: { pid: 1, flags: 3 }, id: 1, sign: true });
    await settle();
    request({ type: "detach", id: 1 });
    await signer.next();
    expect(h.brokers[1]).toMatchObject({ isClosed: true, calls: [] });
    expect(h.socket.messages).toMatchObject([{ errno: 125 }]);
  });
});

describe("signed by the client", () => {
  let h: Harness;
  const signer = noneSigner(IDENTITY.userid);
  beforeEach(async () => {
    h = await openSession();
  });
  const start = async (flags = 11, nodeid = "0,3") => {
    const payload = await signedPayload(signer, exec.topic, { ...exec.payload, flags });
    h.next({ ...exec, id: 1, nodeid, payload: { ...payload, flags: 0, cmd: "plain" } });
  };
  const write = async (rank: number, data: string, more: object = {}) => {
    const matchtag = rank === 0 ? 1 : 2;
    const io = { stream: "stdin", rank: String(rank), data };
    const { signature } = await signedPayload(signer, "s.rexec.write", { matchtag, io });
    h.next({ type: "write", id: 1, rank, stream: "stdin", bytes: data.length, signature, ...more });
    return signature;
  };
  const grant = (matchtag: number, credit: number) =>
    h.broker.handler(matchtag).response({ type: "add-credit", channels: { stdin: credit } });

  test("a request passes with its signature alone", async () => {
    await start();
    for (const { call } of h.broker.calls) {
      expect(content(call)).toEqual({ ...exec.payload, flags: 11, topic: exec.topic });
    }
    expect(h.broker.calls).toHaveLength(2);
  });

  test("input passes to its rank as it is, and each rank has the whole credit", async () => {
    await start();
    grant(1, 10);
    grant(2, 4);
    const signatures = [await write(0, "abcd"), await write(3, "abcd")];
    expect(h.broker.sent.map((sent) => [sent.topic, sent.nodeid, json(sent)])).toEqual([
      ["s.rexec.write", 0, { signature: signatures[0] }],
      ["s.rexec.write", 3, { signature: signatures[1] }],
    ]);
    await write(0, "x");
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
    expect(h.broker.sent).toHaveLength(2);
  });

  test("input for a rank that is over, or an id that is, is dropped", async () => {
    await start(3);
    h.broker.handler(1).end();
    await write(0, "x");
    h.broker.handler(2).end();
    await write(3, "x");
    expect(h.broker.sent).toEqual([]);
    expect(h.socket.closes).toEqual([]);
  });

  test("an end of stream needs neither credit nor permission", async () => {
    await start();
    const io = { stream: "stdin", rank: "0", eof: true };
    const { signature } = await signedPayload(signer, "s.rexec.write", { matchtag: 1, io });
    h.next({ type: "write", id: 1, rank: 0, stream: "stdin", bytes: 0, signature });
    expect(h.broker.sent.map(json)).toEqual([{ signature }]);
  });
});
