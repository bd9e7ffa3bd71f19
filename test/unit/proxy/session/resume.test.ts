import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Identity } from "../../../../proxy/auth/identity.js";
import { INPUT_WINDOW } from "../../../../src/protocol/messages.js";
import { CLOSE } from "../../../../src/protocol/protocol-error.js";
import {
  type Client,
  type Harness,
  type HarnessOptions,
  IDENTITY,
  json,
  openSession,
  settle,
} from "../support/memory.js";

const rpc = { type: "request", topic: "attr.list", nodeid: "any", streaming: false, payload: {} };
const exec = { ...rpc, topic: "rexec.exec", streaming: true, payload: { cmd: {}, flags: 11 } };
const REFUSED = [{ code: CLOSE.notResumable, reason: "there is no such session to resume" }];

const resume = (id: string | undefined, received = 0) => ({ resume: { id, received } });
const ack = (seq = 0) => JSON.stringify({ type: "ack", seq });

/** A session whose client is known, with an exec that has started. */
async function running(options?: HarnessOptions): Promise<Harness> {
  const harness = await openSession(options);
  harness.next({ ...exec, id: 1 });
  harness.broker.handler(1).response({ type: "started", pid: 7 });
  return harness;
}

const output = (data: string) => ({ type: "output", io: { stream: "stdout", rank: "1", data } });

describe("a lost socket", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  test("leaves the session for its grace, and no longer", async () => {
    const { session, sessions, broker } = await running({ graceMs: 5000 });
    session.closed();
    await vi.advanceTimersByTimeAsync(4999);
    expect([sessions.size, broker.isClosed]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect([sessions.size, broker.isClosed]).toEqual([0, true]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    [undefined, 5000],
    [2000, 2000],
    [99_000, 9000],
  ])("of a client that asks for a grace of %s leaves it for %i ms", async (grace, ms) => {
    const harness = await openSession({ graceMs: 5000, maxGraceMs: 9000, hello: false });
    const { socket } = await harness.connect({ grace });
    expect(socket.welcome.grace).toBe(ms);
  });

  test("of a client that wants no grace ends the session", async () => {
    const harness = await openSession({ hello: false });
    const client = await harness.connect({ grace: 0 });
    expect(client.socket.welcome).toMatchObject({ grace: 0 });
    expect(client.socket.welcome).not.toHaveProperty("resume");
    harness.next({ ...exec, id: 1 }, client);
    client.session.closed();
    expect(harness.sessions.size).toBe(0);
  });

  test("leaves a session with the longest grace for seven days, whatever the clock is set to", async () => {
    const week = 7 * 24 * 3600 * 1000;
    const h = await openSession({ maxGraceMs: week, hello: false });
    const client = await h.connect({ grace: Number.MAX_SAFE_INTEGER });
    expect(client.socket.welcome.grace).toBe(week);
    client.session.closed();
    vi.setSystemTime(Date.now() + 2 * week);
    await vi.advanceTimersByTimeAsync(week - 1);
    expect(h.sessions.size).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(h.sessions.size).toBe(0);
  });

  test("does not end the session when the token ends; a resume needs another", async () => {
    let identity: Identity = { ...IDENTITY, expires: Math.floor(Date.now() / 1000) + 3 };
    const { session, socket, sessions, connect } = await running({ verify: async () => identity });
    session.closed();
    vi.setSystemTime(Date.now() + 10_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sessions.size).toBe(1);
    identity = { ...IDENTITY, tokenId: "token-2" };
    const next = await connect(resume(socket.welcome.resume));
    expect(next.socket.welcome).toMatchObject({ expires: IDENTITY.expires, received: 1 });
    expect(next.socket.closes).toEqual([]);
  });
});

describe("the output of an absent client", () => {
  const KIB = 1024;
  const PROCESSES = 40;

  /** Each process writes 1 MiB. @returns the bytes that a client gets that comes back, and those that gaps name */
  async function written(h: Harness) {
    for (let id = 2; id <= PROCESSES; id++) {
      h.next({ ...exec, id });
      h.broker.handler(id).response({ type: "started", pid: id + 6 });
    }
    h.session.closed();
    for (let n = 0; n < 16; n++) {
      for (let id = 1; id <= PROCESSES; id++) h.broker.handler(id).response(output("x".repeat(64 * KIB)));
    }
    const client = await h.connect(resume(h.socket.welcome.resume, PROCESSES));
    let [data, gaps, seq] = [0, 0, PROCESSES];
    const consumed = (message: object) =>
      client.session.text(JSON.stringify({ type: "consumed", seq: ++seq, ...message }));
    for (let at = 0; at < client.socket.messages.length; at++) {
      const message = client.socket.messages[at];
      client.session.text(ack(message?.seq));
      if (message?.type === "gap") gaps += message.bytes;
      if (message?.type !== "data") continue;
      data += message.data.length;
      const { id, rank, stream } = message;
      consumed({ id, rank, stream, bytes: message.data.length });
    }
    expect(client.socket.closes).toEqual([]);
    return { data, gaps };
  }

  test("waits up to 16 MiB of all its processes; what is dropped beyond is named", async () => {
    const { data, gaps } = await written(await running());
    expect(data).toBeGreaterThan(15 * KIB * KIB);
    expect(data).toBeLessThanOrEqual(16 * KIB * KIB);
    expect(data + gaps).toBe(PROCESSES * KIB * KIB);
  });

  test("stops its processes", async () => {
    const h = await running();
    await written(h);
    const stops = h.broker.calls.filter(({ call }) => (json(call) as { signum?: number }).signum === 19);
    expect(new Set(stops.map(({ call }) => (json(call) as { pid: number }).pid)).size).toBe(PROCESSES);
  });
});

describe("resuming", () => {
  let h: Harness;
  beforeEach(async () => {
    h = await running();
  });
  const types = ({ socket }: Client) => socket.messages.map(({ type, seq }) => [type, seq]);

  test("sends missing messages again, unchanged, after the welcome, and continues", async () => {
    h.broker.handler(1).response(output("a"));
    h.session.closed();
    h.broker.handler(1).response(output("b"));
    const client = await h.connect(resume(h.socket.welcome.resume, 1));
    expect(client.socket.welcome).toMatchObject({ session: h.socket.welcome.session, received: 1 });
    expect(types(client)).toEqual([
      ["data", 2],
      ["data", 3],
    ]);
    h.next({ ...rpc, id: 2 }, client);
    expect(h.broker.calls).toHaveLength(2);
    h.broker.handler(1).response({ type: "finished", status: 0 });
    expect(types(client).at(-1)).toEqual(["response", 4]);
  });

  test("takes each message of the client once", async () => {
    h.next({ ...rpc, id: 2 });
    h.session.closed();
    const client = await h.connect(resume(h.socket.welcome.resume, 1));
    expect(client.socket.welcome.received).toBe(2);
    client.session.text(JSON.stringify({ ...rpc, id: 2, seq: 2 }));
    expect(client.socket.closes).toMatchObject([{ code: CLOSE.outOfSequence }]);
    expect(h.broker.calls).toHaveLength(2);
  });

  test("while the old socket seems alive closes that, and hears no more of it", async () => {
    const client = await h.connect(resume(h.socket.welcome.resume, 1));
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.superseded }]);
    h.session.text(JSON.stringify({ ...rpc, id: 9, seq: 2 }));
    h.session.text("nonsense");
    h.session.drained();
    h.session.closed(CLOSE.normal);
    h.broker.handler(1).response(output("x"));
    expect(h.broker.calls).toHaveLength(1);
    expect(types(h)).toEqual([["response", 1]]);
    expect(types(client)).toEqual([["data", 2]]);
    expect(client.socket.closes).toEqual([]);
  });

  test("again with an id before is possible until the client has said a word", async () => {
    const first = h.socket.welcome.resume;
    h.session.closed();
    const lost = await h.connect(resume(first, 1));
    lost.session.closed();
    const client = await h.connect(resume(first, 1));
    expect(client.socket.closes).toEqual([]);
    client.session.text(ack(1));
    expect((await h.connect(resume(first, 1))).socket.closes).toEqual(REFUSED);
    expect((await h.connect(resume(lost.socket.welcome.resume, 1))).socket.closes).toEqual(REFUSED);
    expect((await h.connect(resume(client.socket.welcome.resume, 1))).socket.closes).toEqual([]);
  });

  test("twice at once: the last one has it, and the other is closed", async () => {
    const hello = resume(h.socket.welcome.resume, 1);
    const [one, two] = await Promise.all([h.connect(hello), h.connect(hello)]);
    expect([one.socket.closes, two.socket.closes]).toMatchObject([[{ code: CLOSE.superseded }], []]);
    h.broker.handler(1).response(output("x"));
    expect([types(one), types(two)]).toEqual([[], [["data", 2]]]);
    // The hello came twice, and the client has the first answer: it continues with the id in it.
    const client = await h.connect(resume(one.socket.welcome.resume, 1));
    expect(two.socket.closes).toMatchObject([{ code: CLOSE.superseded }]);
    expect([client.socket.closes, types(client)]).toEqual([[], [["data", 2]]]);
  });

  test("while more comes over the old socket, and is acknowledged there, sends that not again", async () => {
    const id = h.socket.welcome.resume;
    h.broker.handler(1).response(output("a"));
    h.session.text(ack(2));
    // The client had message 1 when it sent its hello.
    const client = await h.connect(resume(id, 1));
    h.broker.handler(1).response(output("b"));
    expect([client.socket.closes, types(client)]).toEqual([[], [["data", 3]]]);
  });

  test("while more comes over the old socket sends that again, unless it is acknowledged in time", async () => {
    const id = h.socket.welcome.resume;
    for (const data of "abc") h.broker.handler(1).response(output(data));
    const client = h.accept();
    client.socket.bufferedAmount = 1e6;
    await h.connect(resume(id, 1), client);
    expect(types(client)).toEqual([]);
    client.session.text(ack(3));
    client.socket.bufferedAmount = 0;
    client.session.drained();
    expect([client.socket.closes, types(client)]).toEqual([[], [["data", 4]]]);
  });

  test("after a message that was never sent ends the session, without a welcome before", async () => {
    const client = await h.connect(resume(h.socket.welcome.resume, 99));
    expect(client.socket.closes).toEqual(REFUSED);
    expect(client.socket.sent).toEqual([]);
    expect(h.socket.closes).toEqual(REFUSED);
    expect([h.sessions.size, h.broker.isClosed]).toEqual([0, true]);
  });

  test("with a token that allows less stops input", async () => {
    const scope = { scope: new Set(["exec"]) } as Identity["permissions"];
    const verify = vi.fn(async () => IDENTITY);
    const other = await running({ verify });
    other.broker.handler(1).response({ type: "add-credit", channels: { stdin: 10 } });
    verify.mockResolvedValue({ ...IDENTITY, permissions: scope });
    const client = await other.connect(resume(other.socket.welcome.resume, 2));
    expect(client.socket.messages).toMatchObject([{ type: "refused", seq: 3, stream: "stdin" }]);
  });

  test("of a proxy that stops is over: attached or not", async () => {
    h.session.closed();
    h.sessions.shutdown();
    expect([h.sessions.size, h.broker.isClosed]).toEqual([0, true]);
    expect((await h.connect(resume(h.socket.welcome.resume, 1))).socket.closes).toEqual(REFUSED);
  });

  test("after the broker was lost brings the waiting messages, and then 4503", async () => {
    h.session.closed();
    h.broker.lose();
    await settle();
    expect(h.sessions.size).toBe(1);
    const client = await h.connect(resume(h.socket.welcome.resume, 1));
    expect(client.socket.messages).toMatchObject([{ type: "error", errno: 104 }]);
    expect(client.socket.closes).toMatchObject([{ code: CLOSE.brokerLost }]);
  });

  describe("by others", () => {
    const others: [string, Partial<Identity>][] = [
      ["subject", { sub: "mallory" }],
      ["userid", { userid: 1001 }],
    ];

    test.each(others)(
      "of another %s is refused as if there were none, and disturbs nothing",
      async (_, other) => {
        const verify = vi.fn(async () => IDENTITY);
        const mine = await running({ verify });
        const id = mine.socket.welcome.resume;
        verify.mockResolvedValue({ ...IDENTITY, ...other, jkt: undefined });
        if (other.jkt) return; // A key has to be proven: test/security has that.
        const foreign = await mine.connect(resume(id, 1));
        const unknown = await mine.connect(resume("A".repeat(43), 1));
        expect(foreign.socket.closes).toEqual(REFUSED);
        expect(unknown.socket).toEqual(foreign.socket);
        expect(mine.socket.closes).toEqual([]);
        verify.mockResolvedValue(IDENTITY);
        expect((await mine.connect(resume(id, 1))).socket.closes).toEqual([]);
      },
    );
  });
});

describe("sessions of a subject", () => {
  test("are limited, and each subject has its own limit", async () => {
    let identity = IDENTITY;
    const h = await openSession({ sessionsPerSubject: 2, verify: async () => identity });
    h.next({ ...rpc, id: 1 });
    expect((await h.connect()).socket.closes).toEqual([]);
    expect((await h.connect()).socket.closes).toMatchObject([{ code: CLOSE.tooManySessions }]);
    identity = { ...IDENTITY, sub: "bob" };
    expect((await h.connect()).socket.closes).toEqual([]);
    h.session.closed(CLOSE.normal);
    identity = IDENTITY;
    expect((await h.connect()).socket.closes).toEqual([]);
  });

  test("make room if they have no socket and no request, the oldest first", async () => {
    const h = await openSession({ sessionsPerSubject: 3 });
    const idle: Client[] = [];
    for (let n = 0; n < 2; n++) {
      const client = await h.connect();
      client.session.text(ack());
      client.session.closed();
      idle.push(client);
    }
    h.next({ ...exec, id: 1 });
    h.session.closed();
    expect((await h.connect()).socket.closes).toEqual([]);
    const [oldest, newer] = idle.map(({ socket }) => socket.welcome.resume);
    expect((await h.connect(resume(oldest))).socket.closes).toEqual(REFUSED);
    const back = await h.connect(resume(newer));
    expect(back.socket.closes).toEqual([]);
    expect((await h.connect()).socket.closes).toMatchObject([{ code: CLOSE.tooManySessions }]);
    // A session with a running process does not make room.
    expect((await h.connect(resume(h.socket.welcome.resume))).socket.closes).toEqual([]);
  });

  test("make room too if their only requests are watches", async () => {
    const h = await openSession({ sessionsPerSubject: 1 });
    h.next({ ...rpc, id: 1, topic: "rexec.list", streaming: true });
    h.session.closed();
    expect((await h.connect()).socket.closes).toEqual([]);
    expect((await h.connect(resume(h.socket.welcome.resume))).socket.closes).toEqual(REFUSED);
  });

  test("with a long grace are limited: a further one gets the default, unless another is abandoned", async () => {
    const limits = { graceMs: 5000, maxGraceMs: 9000, longSessionsPerSubject: 2 };
    let identity = IDENTITY;
    const h = await openSession({ ...limits, hello: false, verify: async () => identity });
    const grace = async (hello: object) => (await h.connect(hello)).socket.welcome.grace;
    const first = await h.connect({ grace: 9000 });
    h.next({ ...exec, id: 1 }, first);
    first.session.closed();
    expect(await grace({ grace: 9000 })).toBe(9000);
    expect(await grace({ grace: 9000 })).toBe(5000);
    expect(await grace({ grace: 4000 })).toBe(4000);
    identity = { ...IDENTITY, sub: "bob" };
    expect(await grace({ grace: 9000 })).toBe(9000);
    identity = IDENTITY;
    // Its exec is open, so it keeps what its welcome promised.
    const back = await h.connect(resume(first.socket.welcome.resume));
    expect(back.socket.welcome.grace).toBe(9000);
    h.broker.handler(1).end();
    back.session.closed();
    expect(await grace({ grace: 9000 })).toBe(9000);
    expect((await h.connect(resume(back.socket.welcome.resume))).socket.closes).toEqual(REFUSED);
  });

  test("have no long grace where none may have one", async () => {
    const h = await openSession({ graceMs: 5000, longSessionsPerSubject: 0, hello: false });
    expect((await h.connect({ grace: 9000 })).socket.welcome.grace).toBe(5000);
  });

  test("count while they are being opened", async () => {
    const h = await openSession({ sessionsPerSubject: 2, hello: false });
    const clients = await Promise.all([h.connect(), h.connect(), h.connect()]);
    const codes = clients.map(({ socket }) => socket.closes.map(({ code }) => code));
    expect(codes).toEqual([[], [], [CLOSE.tooManySessions]]);
  });
});

describe("unacknowledged messages", () => {
  test("is bounded", async () => {
    const h = await openSession();
    h.broker.congested = true;
    const payload = { text: "x".repeat(900_000) };
    const most = Math.floor((2 * INPUT_WINDOW) / 900_000);
    for (let id = 1; id <= most; id++) h.next({ ...rpc, id, payload });
    expect(h.socket.closes).toEqual([]);
    for (let id = most + 1; id <= most + 2; id++) h.next({ ...rpc, id, payload });
    expect(h.socket.closes).toMatchObject([{ code: CLOSE.creditOverrun }]);
    expect(h.broker.calls.every(({ call }) => json(call))).toBe(true);
  });
});

test("a ping is answered", async () => {
  const { session, socket } = await openSession();
  session.text('{"type":"ping"}');
  session.text('{"type":"pong"}');
  expect(socket.others).toEqual([{ type: "pong" }]);
});
