/** The edge cases of PROTOCOL.md, each as a session without I/O. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../../../proxy/auth/identity.js";
import type { Action } from "../../../../proxy/auth/permissions.js";
import { ALL_RANKS, encodeDataFrame } from "../../../../src/protocol/frame.js";
import { MAX_IDS } from "../../../../src/protocol/idset.js";
import { MAX_ID } from "../../../../src/protocol/messages.js";
import { CLOSE } from "../../../../src/protocol/protocol-error.js";
import { noneSigner } from "../../../../src/signing/none.js";
import { signedPayload } from "../../../../src/signing/signer.js";
import { type Client, type Harness, IDENTITY, json, openSession, settle } from "../support/memory.js";

const rpc = { type: "request", topic: "attr.list", nodeid: "any", streaming: false, payload: {} };
const exec = { ...rpc, topic: "rexec.exec", streaming: true, payload: { cmd: {}, flags: 11 } };
const EXEC_ONLY = { ...IDENTITY, permissions: { scope: new Set<Action>(["exec"]) } } as Identity;
const REASON = "token does not allow write: scope";

/** A client that numbers its messages, and the broker behind its proxy. */
class Peer {
  #seq = 0;
  identity: Identity;
  private constructor(
    readonly h: Harness,
    identity: Identity,
  ) {
    this.identity = identity;
  }
  static async open(identity: Identity = IDENTITY): Promise<Peer> {
    let peer: Peer | undefined;
    const h = await openSession({ verify: async () => peer?.identity ?? identity });
    peer = new Peer(h, identity);
    return peer;
  }
  send(message: object): void {
    this.h.session.text(JSON.stringify({ seq: ++this.#seq, ...message }));
  }
  input(text: string, { rank = ALL_RANKS, stream = "stdin", id = 1 } = {}): void {
    const data = new TextEncoder().encode(text);
    this.h.session.binary(encodeDataFrame({ seq: ++this.#seq, id, rank, stream, data }));
  }
  eof(stream = "stdin"): void {
    this.send({ type: "eof", id: 1, stream });
  }
  grant(bytes: number, id = 1): void {
    this.h.broker.handler(id).response({ type: "add-credit", channels: { stdin: bytes } });
  }
  /** The token is followed by one of this identity. */
  async renew(identity: Identity): Promise<void> {
    this.identity = identity;
    this.h.session.text('{"type":"token","token":"next"}');
    await settle();
  }
  get writes(): unknown[] {
    return this.h.broker.sent.map((request) => (json(request) as { io: object }).io);
  }
  get messages() {
    return this.h.socket.messages.map(({ seq: _, ...message }) => message);
  }
  get closes() {
    return this.h.socket.closes;
  }
}

const text = (data: string) => ({ stream: "stdin", rank: "1", data });
const credit = (bytes: number) => ({ type: "credit", id: 1, stream: "stdin", bytes });
const refused = (bytes: number) => ({
  ...{ type: "refused", id: 1, stream: "stdin", bytes },
  ...{ errno: 1, message: REASON },
});

describe("input", () => {
  let peer: Peer;
  beforeEach(async () => {
    peer = await Peer.open();
    peer.send({ ...exec, id: 1 });
  });

  test("that was refused has its credit when a renewal allows it", async () => {
    peer = await Peer.open(EXEC_ONLY);
    peer.send({ ...exec, id: 1 });
    peer.grant(10);
    peer.grant(5);
    expect(peer.messages).toEqual([refused(0)]);
    await peer.renew(IDENTITY);
    expect(peer.messages).toEqual([refused(0), credit(15)]);
    peer.input("x".repeat(15));
    expect(peer.writes).toEqual([text("x".repeat(15))]);
    expect(peer.closes).toEqual([]);
    peer.input("y");
    expect(peer.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
  });

  test("has no credit that a renewal did not allow", async () => {
    peer = await Peer.open(EXEC_ONLY);
    peer.send({ ...exec, id: 1 });
    peer.grant(10);
    await peer.renew(EXEC_ONLY);
    peer.input("x");
    expect(peer.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
  });

  test("under credit from before a narrower token is dropped, and `refused` says from where on", async () => {
    peer.grant(100);
    peer.input("abc");
    await peer.renew(EXEC_ONLY);
    expect(peer.messages).toEqual([credit(100), refused(3)]);
    peer.input("def");
    // The process would take "abc" for the whole.
    peer.eof();
    expect(peer.writes).toEqual([text("abc")]);
    expect(peer.closes).toEqual([]);
    // Later input would have a hole before it.
    await peer.renew(IDENTITY);
    peer.grant(50);
    expect(peer.messages).toEqual([credit(100), refused(3)]);
  });

  test("that was refused and not dropped continues if a renewal allows it, or ends", async () => {
    peer.grant(100);
    peer.input("abc");
    await peer.renew(EXEC_ONLY);
    await peer.renew(IDENTITY);
    expect(peer.messages).toEqual([credit(100), refused(3), credit(0)]);
    peer.input("def");
    await peer.renew(EXEC_ONLY);
    peer.eof();
    expect(peer.messages.at(-1)).toEqual(refused(6));
    expect(peer.writes).toEqual([text("abc"), text("def"), { stream: "stdin", rank: "1", eof: true }]);
  });

  test("that the proxy gives the credit for is passed on, until the token does not allow it", async () => {
    peer.send({ ...exec, id: 5, payload: { cmd: {}, flags: 3 } });
    peer.input("x".repeat(1000), { id: 5 });
    expect(peer.writes).toHaveLength(1);
    await peer.renew(EXEC_ONLY);
    peer.input("y", { id: 5 });
    expect(peer.messages).toEqual([
      { type: "credit", id: 5, stream: "stdin", bytes: 65_536 },
      { ...refused(1000), id: 5 },
    ]);
    expect([peer.writes.length, peer.closes]).toEqual([1, []]);
  });

  test("after the end of its stream closes with 4400, and so does a second end", async () => {
    for (const again of [() => peer.input("x"), () => peer.eof()]) {
      peer = await Peer.open();
      peer.send({ ...exec, id: 1 });
      peer.grant(10);
      peer.eof();
      expect(peer.closes).toEqual([]);
      again();
      expect(peer.closes).toEqual([{ code: CLOSE.malformed, reason: "input after the end of stdin" }]);
      expect(peer.writes).toHaveLength(1);
    }
  });

  test("that is signed ends by rank, and `refused` has the bytes that every rank has", async () => {
    const signer = noneSigner(1000);
    const signed = async (topic: string, payload: object) => await signedPayload(signer, topic, payload);
    const topic = "rexec.exec";
    const start = await signed(topic, {
      cmd: { cmdline: ["cat"], env: {}, opts: {}, channels: [] },
      flags: 11,
    });
    peer.send({ ...exec, id: 3, nodeid: "0-1", payload: start });
    const write = async (rank: number, io: object, bytes: number) => {
      const { signature } = await signed("rexec.write", {
        matchtag: 3 + rank,
        io: { stream: "stdin", rank: String(rank), ...io },
      });
      peer.send({ type: "write", id: 3, rank, stream: "stdin", bytes, signature });
    };
    for (const id of [3, 4]) peer.grant(10, id);
    await write(0, { data: "abc" }, 3);
    await write(1, { data: "ab" }, 2);
    await write(1, { eof: true }, 0);
    expect(peer.closes).toEqual([]);
    await peer.renew(EXEC_ONLY);
    expect(peer.messages.at(-1)).toMatchObject({ type: "refused", id: 3, bytes: 2 });
    await write(1, { data: "x" }, 1);
    expect(peer.closes).toEqual([{ code: CLOSE.malformed, reason: "input after the end of stdin" }]);
  });

  test.each([
    ["one rank", (other: Peer) => other.input("x", { rank: 1 }), "input for one rank"],
    [
      "a stream with a NUL in its name",
      (other: Peer) => other.input("x", { stream: "a\0" }),
      "binary frame without a stream's name",
    ],
    ["id 0", (other: Peer) => other.input("x", { id: 0 }), "id is not an integer of 1 to 2147483647"],
    [
      "an id over 2147483647",
      (other: Peer) => other.input("x", { id: 0x80000000 }),
      "id is not an integer of 1 to 2147483647",
    ],
    ["the end of a stream without a name", (other: Peer) => other.eof(""), "stream is empty"],
    [
      "a stream with a name of 256 bytes",
      (other: Peer) => other.eof("é".repeat(128)),
      "stream is longer than 255 bytes",
    ],
  ])("for %s closes with 4400", (_, send, reason) => {
    send(peer);
    expect(peer.closes).toEqual([{ code: CLOSE.malformed, reason }]);
  });

  test("has at most 1024 streams", () => {
    for (let n = 0; n < 1024; n++) peer.eof(`s${n}`);
    expect(peer.closes).toEqual([]);
    peer.eof("one more");
    expect(peer.closes).toEqual([{ code: CLOSE.malformed, reason: "more than 1024 input streams" }]);
  });

  test("for an id that was never used, or is over, is dropped", () => {
    peer.input("x", { id: 9 });
    peer.h.broker.handler(1).end();
    peer.input("x");
    expect([peer.closes, peer.writes]).toEqual([[], []]);
  });
});

describe("consumed", () => {
  const consumed = (fields: object) => ({
    ...{ type: "consumed", id: 1, rank: 0, stream: "stdout", bytes: 1 },
    ...fields,
  });
  let peer: Peer;
  beforeEach(async () => {
    peer = await Peer.open();
    peer.send({ ...exec, id: 1, nodeid: "0-1" });
    const io = { stream: "stdout", rank: "0", data: "abc" };
    peer.h.broker.handler(1).response({ type: "output", io });
  });

  test("is for messages that were sent", () => {
    peer.send(consumed({ bytes: 3 }));
    expect(peer.closes).toEqual([]);
  });

  test.each([
    ["more than was sent", { bytes: 4 }, "consumed 4 bytes of stdout, of which 3 were left"],
    ["another stream", { stream: "stderr" }, "consumed 1 bytes of stderr, of which 0 were left"],
    ["a rank that was not asked", { rank: 2 }, "request 1 is not for rank 2"],
    ["an id within its request", { id: 2 }, "id 2 is not the first of its request"],
  ])("of %s closes with 4400", (_, fields, reason) => {
    peer.send(consumed(fields));
    expect(peer.closes).toEqual([{ code: CLOSE.malformed, reason }]);
  });

  test("is ignored for an id that was never used, a rank that is over, and a request that is", () => {
    peer.send(consumed({ id: 9 }));
    peer.h.broker.handler(1).end();
    peer.send(consumed({ bytes: 99 }));
    peer.h.broker.handler(2).end();
    peer.send(consumed({ bytes: 99 }));
    expect(peer.closes).toEqual([]);
  });
});

describe("ids and ranks", () => {
  test.each([
    ["that overlap those of a request", { id: 2 }, CLOSE.idInUse],
    ["over the largest", { id: MAX_ID, nodeid: "0-1" }, CLOSE.malformed],
  ])("%s close the socket", async (_, fields, code) => {
    const peer = await Peer.open();
    peer.send({ ...rpc, id: 1, nodeid: "0-2" });
    peer.send({ ...rpc, ...fields });
    expect(peer.closes).toMatchObject([{ code }]);
  });

  test("up to the largest are good", async () => {
    const peer = await Peer.open();
    peer.send({ ...rpc, id: MAX_ID });
    expect(peer.closes).toEqual([]);
  });

  test.each([[`0-${MAX_IDS}`], ["3,1"], ["1,1"], ["2-1"], ["01"], [" 1"], ["1,"], ["4294967295"]])(
    "of the idset %j close with 4400",
    async (nodeid) => {
      const peer = await Peer.open();
      peer.send({ ...rpc, id: 1, nodeid });
      expect(peer.closes).toMatchObject([{ code: CLOSE.malformed }]);
    },
  );
});

describe("requests of a subprocess server", () => {
  test.each(["rexec.write", "rexec.disconnect"])("%s is not one of its own", async (topic) => {
    const peer = await Peer.open({
      ...IDENTITY,
      permissions: { scope: new Set<Action>(["exec", "write", "kill"]) },
    } as Identity);
    peer.send({ ...rpc, topic, id: 1 });
    expect(peer.messages).toMatchObject([{ type: "error", errno: 1 }]);
    expect(peer.h.broker.calls).toEqual([]);
  });
});

describe("a field that may be absent", () => {
  test.each([["grace"], ["resume"]])("of hello is not null: %s", async (field) => {
    const h = await openSession({ hello: false });
    const { socket } = await h.connect({ [field]: null });
    expect(socket.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });

  test.each([["sign"], ["overflow"]])("of request is not null: %s", async (field) => {
    const peer = await Peer.open();
    peer.send({ ...rpc, id: 1, [field]: null });
    expect(peer.closes).toMatchObject([{ code: CLOSE.malformed }]);
  });
});

describe("numbers", () => {
  const resume = ({ socket }: Client, received = 0, more = {}) => ({
    ...{ resume: { id: socket.welcome.resume, received } },
    ...more,
  });

  test("of 48 bits are the largest", async () => {
    for (const [seq, code] of [
      [2 ** 48 - 1, CLOSE.outOfSequence],
      [2 ** 48, CLOSE.malformed],
    ]) {
      const peer = await Peer.open();
      peer.send({ ...rpc, id: 1, seq });
      expect(peer.closes).toMatchObject([{ code }]);
    }
  });

  test("that are acknowledged again, or late, change nothing", async () => {
    const peer = await Peer.open();
    for (let id = 1; id <= 3; id++) {
      peer.send({ ...rpc, id });
      peer.h.broker.handler(id).response({});
    }
    for (const seq of [3, 1, 0, 3]) peer.send({ type: "ack", seq });
    expect(peer.closes).toEqual([]);
    const back = await peer.h.connect(resume(peer.h, 1));
    expect([back.socket.closes, back.socket.messages]).toEqual([[], []]);
  });

  test("of a hello that resumes leave the grace as it was", async () => {
    const h = await openSession({ hello: false });
    const first = await h.connect({ grace: 5000 });
    first.session.closed();
    const back = await h.connect(resume(first, 0, { grace: 99 }));
    expect(back.socket.welcome.grace).toBe(5000);
  });
});
