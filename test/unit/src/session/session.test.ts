import { describe, expect, it, vi } from "vitest";
import { FluxError } from "../../../../src/errors.js";
import { MAX_FRAME } from "../../../../src/protocol/messages.js";
import type { CallRequest } from "../../../../src/session/client-call.js";
import { SessionToken } from "../../../../src/session/session-token.js";
import { Sessions } from "../../../../src/session/sessions.js";
import { finished, openSession, Recorder, ScriptedProxy, settled, started } from "../../../support/peer.js";

const request = (fields: Partial<CallRequest> = {}): CallRequest => ({
  topic: "a.b",
  nodeid: "any",
  streaming: false,
  payload: {},
  ...fields,
});

const states = (session: Sessions) => {
  const recorder = new Recorder<{ state: string }>();
  session.status$.subscribe(recorder);
  return recorder;
};

describe("Sessions: opening", () => {
  it("sends hello, waits for welcome, then sends waiting requests in order", async () => {
    const proxy = new ScriptedProxy();
    const session = new Sessions(proxy.connector, new SessionToken(async () => "secret", undefined));
    const { values } = states(session);
    session.start(request({ topic: "first.x" }), new Recorder());
    session.start(request({ topic: "second.x" }), new Recorder());
    await settled();
    expect([proxy.token, proxy.received]).toEqual(["secret", []]);
    proxy.welcome({ session: "id", rank: 1, size: 2, owner: 7, userid: 7, expires: 9 });
    await settled();
    expect(proxy.requests).toEqual([
      { type: "request", id: 1, topic: "first.x", nodeid: "any", streaming: false, payload: {} },
      { type: "request", id: 2, topic: "second.x", nodeid: "any", streaming: false, payload: {} },
    ]);
    expect(values).toEqual([
      { state: "connecting", attempt: 1 },
      { state: "open", session: "id", rank: 1, size: 2, owner: 7, userid: 7, expires: 9, grace: 60_000 },
    ]);
  });

  it("does not ask for the token before there is a connection, and asks once", async () => {
    let asked = 0;
    const proxy = new ScriptedProxy();
    new Sessions(proxy.connector, new SessionToken(async () => `token ${++asked}`, undefined));
    expect(asked).toBe(0);
    await settled();
    expect([asked, proxy.token]).toEqual([1, "token 1"]);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("no login")), "the token source failed: no login"],
    ["is empty", async () => "", "the token source failed: the token is not a string"],
    [
      "is undefined",
      async () => undefined as unknown as string,
      "the token source failed: the token is not a string",
    ],
  ])("closes the handle if its only token %s", async (_, token, message) => {
    const proxy = new ScriptedProxy();
    const session = new Sessions(proxy.connector, new SessionToken(token, undefined, true));
    const call = new Recorder();
    session.start(request(), call);
    await settled();
    expect(session.status).toMatchObject({ state: "closed", error: { code: "EACCES", message } });
    expect(call.ends).toMatchObject([{ code: "EACCES", reason: message, topic: "a.b" }]);
    expect([proxy.token, proxy.closed]).toEqual([
      undefined,
      { code: 1000, reason: "no token", opened: true },
    ]);
  });

  it("calls the function of the token again if it throws, and its requests wait", async () => {
    let calls = 0;
    const source = async () => {
      if (++calls === 1) throw new Error("offline");
      return `token ${calls}`;
    };
    const proxy = new ScriptedProxy();
    proxy.onHello = () => proxy.welcome();
    const retry = { delay: () => 10 };
    const session = new Sessions(proxy.connector, new SessionToken(source, undefined), undefined, { retry });
    const call = new Recorder();
    session.start(request(), call);
    await settled();
    expect(session.status).toMatchObject({
      ...{ state: "connecting", attempt: 2, next: expect.any(Number) },
      error: { code: "EACCES", message: "the token source failed: offline" },
    });
    expect(call.ends).toEqual([]);
    await vi.waitFor(() => expect(session.status.state).toBe("open"));
    await settled();
    expect([proxy.token, proxy.requests.length]).toEqual(["token 2", 1]);
  });

  it("says no hello when it was closed before the token came", async () => {
    let give!: (token: string) => void;
    const proxy = new ScriptedProxy();
    const session = new Sessions(
      proxy.connector,
      new SessionToken(() => new Promise((resolve) => (give = resolve)), undefined),
    );
    await settled();
    session.close();
    give("late");
    await settled();
    expect(proxy.token).toBeUndefined();
    expect(session.status).toEqual({ state: "closed" });
  });

  it("takes nothing but welcome first", async () => {
    for (const [first, reason] of [
      [JSON.stringify({ type: "end", seq: 1, id: 1, rank: 0 }), "the first message is not welcome"],
      [new Uint8Array(20), "message is not JSON"],
    ] as const) {
      const proxy = new ScriptedProxy();
      const session = new Sessions(proxy.connector, new SessionToken(async () => "token", undefined));
      await settled();
      proxy.raw(first);
      await settled();
      expect(session.status).toMatchObject({ state: "connecting", error: { code: "EPROTO" } });
      expect(proxy.closed).toMatchObject({ code: 4400, reason });
      session.close();
    }
  });

  it("takes back unsent messages", async () => {
    const proxy = new ScriptedProxy();
    const session = new Sessions(proxy.connector, new SessionToken(async () => "token", undefined));
    const recorder = new Recorder();
    const call = session.start(request(), recorder);
    expect([session.withdraw(call), session.withdraw(call)]).toEqual([true, false]);
    await settled();
    proxy.welcome();
    await settled();
    expect([proxy.received, recorder.ends]).toMatchObject([[], [{ code: "ECANCELED" }]]);
  });

  it("that may not be opened, as of a page that is not allowed to connect, leaves no timer", () => {
    vi.useFakeTimers();
    const forbidden = () => {
      throw new TypeError("mixed content");
    };
    expect(() => new Sessions(forbidden, new SessionToken(async () => "token", undefined))).toThrow(
      "mixed content",
    );
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });
});

describe("Sessions: requests", () => {
  it("calls no observer before start returns, for any event", async () => {
    const { session } = await openSession();
    const refused = new Recorder();
    session.start(request({ payload: { large: "x".repeat(1 << 20) } }), refused);
    expect(refused.ends).toEqual([]);
    await settled();
    session.close();
    const late = new Recorder();
    session.start(request(), late);
    expect(late.ends).toEqual([]);
    await vi.waitFor(() => expect(late.ends).toHaveLength(1));
    expect(refused.ends).toMatchObject([{ code: "EMSGSIZE", topic: "a.b" }]);
    expect(late.ends).toMatchObject([{ code: "ESHUTDOWN", topic: "a.b" }]);
  });

  it("gives each its answer, however they cross", async () => {
    const { session, proxy } = await openSession();
    const recorders = [new Recorder(), new Recorder(), new Recorder()];
    for (const recorder of recorders) session.start(request(), recorder);
    await settled();
    proxy.send(
      { type: "response", id: 2, rank: 0, payload: { n: 2 } },
      { type: "error", id: 3, rank: 0, errno: 2, message: "not there" },
      { type: "response", id: 1, rank: 0, payload: { n: 1 } },
    );
    await settled();
    expect(recorders.map(({ values, ends }) => [values, ends])).toMatchObject([
      [[{ type: "response", payload: { n: 1 } }], ["completed"]],
      [[{ type: "response", payload: { n: 2 } }], ["completed"]],
      [
        [{ type: "error", rank: 0, error: { code: "ENOENT", reason: "not there", topic: "a.b", rank: 0 } }],
        ["completed"],
      ],
    ]);
  });

  it("takes one id a rank", async () => {
    const { session, proxy } = await openSession({ rank: 2, size: 5 });
    for (const nodeid of ["any", "all", "1,3", "9"]) session.start(request({ nodeid }), new Recorder());
    session.start(request(), new Recorder());
    await settled();
    expect(proxy.requests.map(({ id, nodeid }) => [id, nodeid])).toEqual([
      [1, "any"],
      [2, "all"],
      [7, "1,3"],
      [9, "9"],
      [10, "any"],
    ]);
  });

  it("have an error for each rank of one that is for several", async () => {
    const { session, proxy } = await openSession();
    const recorder = new Recorder();
    const call = session.start(request({ nodeid: "0-3" }), recorder);
    await settled();
    proxy.send({ type: "response", id: 1, rank: 1, payload: {} });
    proxy.send({ type: "error", id: 1, ranks: "0,2-3", errno: 113, message: "" });
    await settled();
    expect(recorder.values).toMatchObject([
      { rank: 1 },
      ...[0, 2, 3].map((rank) => ({ type: "error", rank, error: { code: "EHOSTUNREACH", rank } })),
    ]);
    expect(recorder.ends).toEqual(["completed"]);
    expect(call.over).toBe(true);
  });

  it("ends a call of several ranks with the last of them", async () => {
    const { session, proxy } = await openSession();
    const recorder = new Recorder();
    session.start(request({ nodeid: "0-2" }), recorder);
    await settled();
    for (const rank of [2, 0]) proxy.send({ type: "response", id: 1, rank, payload: {} });
    await settled();
    expect(recorder.ends).toEqual([]);
    proxy.send({ type: "error", id: 1, rank: 1, errno: 113, message: "" });
    await settled();
    expect(recorder.values).toMatchObject([
      { rank: 2 },
      { rank: 0 },
      { rank: 1, error: { code: "EHOSTUNREACH" } },
    ]);
    expect(recorder.ends).toEqual(["completed"]);
  });

  it.each([
    ["a payload that is too large", { payload: { text: "x".repeat(MAX_FRAME) } }, "EMSGSIZE"],
    [
      "a payload that is no JSON",
      {
        payload: {
          get n() {
            throw new Error("no JSON");
          },
        },
      },
      "EINVAL",
    ],
    ["a malformed nodeid", { nodeid: "0-" }, "EINVAL"],
  ])("refuses %s, and goes on", async (_, fields, code) => {
    const { session, proxy } = await openSession();
    const [bad, good] = [new Recorder(), new Recorder()];
    session.start(request(fields), bad);
    session.start(request(), good);
    await settled();
    expect([bad.values, bad.ends]).toMatchObject([[], [{ code, topic: "a.b" }]]);
    expect(proxy.requests).toHaveLength(1);
    proxy.send({ type: "response", id: proxy.requests[0]?.id as number, rank: 0, payload: {} });
    await settled();
    expect(good.ends).toEqual(["completed"]);
  });

  it("sends a message that is as large as may be", async () => {
    const { session, proxy } = await openSession();
    const around = JSON.stringify({
      type: "request",
      id: 1,
      ...request({ payload: { t: "" } }),
      seq: 1,
    }).length;
    session.start(request({ payload: { t: "x".repeat(MAX_FRAME - around) } }), new Recorder());
    session.start(request({ payload: { t: "é".repeat(MAX_FRAME / 2) } }), new Recorder());
    await settled();
    expect(proxy.requests.map(({ id }) => id)).toEqual([1]);
  });
});

describe("Sessions: its end", () => {
  it("ends every call once, and refuses later calls", async () => {
    const { session, proxy } = await openSession();
    const { values, ends } = states(session);
    const recorders = [new Recorder(), new Recorder()];
    for (const recorder of recorders) session.start(request(), recorder);
    await settled();
    const unsent = new Recorder();
    session.start(request(), unsent);
    session.close();
    session.close();
    await settled();
    for (const recorder of [...recorders, unsent]) {
      expect(recorder.ends).toMatchObject([{ code: "ECANCELED", reason: "the Flux handle was closed" }]);
    }
    expect(proxy.closed).toEqual({ code: 1000, reason: "", opened: true });
    expect(values.map(({ state }) => state)).toEqual(["open", "closed"]);
    expect(ends).toEqual(["completed"]);
  });

  it("gives its end to late subscribers", async () => {
    const { session, proxy } = await openSession({}, { retry: false });
    proxy.close(4500, "a fault");
    await settled();
    const { values, ends } = states(session);
    expect(values).toMatchObject([{ state: "closed", error: { code: "EREMOTEIO" } }]);
    expect(ends).toEqual(["completed"]);
  });

  it("gives calls that come after it the reason that it had", async () => {
    const { session, proxy } = await openSession({}, { retry: false });
    proxy.close(4401, "expired");
    await settled();
    const recorder = new Recorder<never>();
    session.start(request(), recorder);
    await vi.waitFor(() => expect(recorder.ends).toHaveLength(1));
    expect(recorder.ends).toMatchObject([
      { code: "EACCES", reason: "expired, close code 4401", topic: "a.b" },
    ]);
    expect((recorder.ends[0] as FluxError).cause).toBeInstanceOf(FluxError);
  });

  it.each([
    [
      "a hole in the sequence",
      '{"type":"end","seq":2,"id":1,"rank":0}',
      4412,
      "message 2 came after message 0",
    ],
    ["no JSON", "x", 4400, "message is not JSON"],
    [
      "an id that is not in use",
      '{"type":"end","seq":1,"id":9,"rank":0}',
      4400,
      "request 9 is not under way",
    ],
    [
      "a rank that it was not sent to",
      '{"type":"response","seq":1,"id":1,"rank":3,"payload":{}}',
      4400,
      "rank 3 owes request 1 no response",
    ],
    [
      "an error of several ranks, of which one was not asked",
      '{"type":"error","seq":1,"id":1,"ranks":"3-4","errno":1,"message":""}',
      4400,
      "rank 3 owes request 1 no error",
    ],
    [
      "an error of a malformed idset",
      '{"type":"error","seq":1,"id":1,"ranks":"3-","errno":1,"message":""}',
      4400,
      "ranks is not an idset",
    ],
    [
      "an error of no rank",
      '{"type":"error","seq":1,"id":1,"errno":1,"message":""}',
      4400,
      "rank undefined owes request 1 no error",
    ],
    [
      "a last message that ends streams only",
      '{"type":"end","seq":1,"id":1,"rank":0}',
      4400,
      "rank 0 owes request 1 no end",
    ],
    [
      "credit for a request that reads nothing",
      '{"type":"credit","seq":1,"id":1,"stream":"stdin","bytes":1}',
      4400,
      "rank undefined owes request 1 no credit",
    ],
  ])("comes when the proxy sends %s", async (_, text, code, reason) => {
    const { session, proxy } = await openSession();
    const recorder = new Recorder();
    session.start(request(), recorder);
    await settled();
    proxy.raw(text);
    proxy.raw(text);
    await settled();
    expect(proxy.closed).toEqual({ code, reason, opened: true });
    expect(recorder.ends).toMatchObject([
      { code: "EPROTO", reason: `the proxy broke the protocol: ${reason}`, topic: "a.b" },
    ]);
  });

  it("reaches every call although the reason is longer than a close frame", async () => {
    const { session, proxy } = await openSession();
    const recorder = new Recorder();
    session.start(request(), recorder);
    await settled();
    proxy.raw(JSON.stringify({ type: "é".repeat(200), seq: 1, id: 1 }));
    await settled();
    expect(recorder.ends).toMatchObject([{ code: "EPROTO" }]);
    expect(new TextEncoder().encode(proxy.closed?.reason).length).toBeLessThanOrEqual(123);
  });

  it("comes in the middle of an error of several ranks, and the other ranks get no event", async () => {
    const { session, proxy } = await openSession();
    const events: unknown[] = [];
    session.start(request({ nodeid: "0-2" }), {
      next: (message) => {
        events.push(message.rank);
        session.close();
      },
      error: (error) => events.push(error.code),
      complete: () => events.push("completed"),
    });
    await settled();
    proxy.send({ type: "error", id: 1, ranks: "0-2", errno: 113, message: "" });
    await settled();
    expect(events).toEqual([0, "ECANCELED"]);
  });

  it("comes in the middle of a message when its observer closes the session", async () => {
    const { session, proxy } = await openSession();
    const ends: unknown[] = [];
    session.start(request(), {
      next: () => session.close(),
      error: (error) => ends.push(error.code),
      complete: () => ends.push("completed"),
    });
    const other = new Recorder();
    session.start(request(), other);
    await settled();
    proxy.send({ type: "response", id: 1, rank: 0, payload: {} });
    await settled();
    // It had its last message: that is how it ended.
    expect(ends).toEqual(["completed"]);
    expect(other.ends).toMatchObject([{ code: "ECANCELED" }]);
  });

  it("comes once when the proxy vanishes", async () => {
    const { session, proxy } = await openSession();
    const recorder = new Recorder();
    session.start(request(), recorder);
    await settled();
    proxy.drop();
    session.close();
    await settled();
    expect(recorder.ends).toHaveLength(1);
  });
});

describe("Sessions: acknowledgements", () => {
  const data = (id: number, length: number) =>
    ({ type: "data", id, rank: 0, stream: "stdout", data: new Uint8Array(length) }) as const;

  it("are sent for every 256 KiB of frames and every 64 messages that were taken", async () => {
    const { session, proxy } = await openSession();
    session.start(request({ streaming: true }), new Recorder());
    await settled();
    proxy.send(started(1), data(1, 262_000));
    await settled();
    expect(proxy.acks).toEqual([]);
    proxy.send(data(1, 100), data(1, 100_000), data(1, 100_000), data(1, 100_000));
    await settled();
    expect(proxy.acks).toEqual([3, 6]);
    for (let n = 0; n < 64; n++) proxy.send(data(1, 1));
    await settled();
    expect(proxy.acks).toEqual([3, 6, 70]);
  });

  it("stop with the session", async () => {
    const { session, proxy } = await openSession();
    session.start(request({ streaming: true }), { next: () => session.close(), error() {}, complete() {} });
    await settled();
    proxy.send(data(1, 262_144));
    await settled();
    expect(proxy.acks).toEqual([]);
  });
});

describe("Sessions: detach", () => {
  it("is for a call under way, and not for one that is over", async () => {
    const { session, proxy } = await openSession();
    const recorder = new Recorder();
    const call = session.start(request({ topic: "rexec.attach", streaming: true }), recorder);
    session.detach(call);
    await settled();
    session.detach(call);
    await settled();
    expect(proxy.received.slice(1)).toEqual([{ type: "detach", id: 1 }]);
    proxy.send(finished(1), { type: "error", id: 1, rank: 0, errno: 125, message: "" });
    await settled();
    session.detach(call);
    await settled();
    expect(proxy.received).toHaveLength(2);
    expect(recorder.ends).toEqual(["completed"]);
  });
});
