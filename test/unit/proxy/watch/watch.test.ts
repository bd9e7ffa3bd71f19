/** Watches of a session without I/O: the requests to the broker, and the messages to the client. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Identity } from "../../../../proxy/auth/identity.js";
import { readPermissions } from "../../../../proxy/auth/permissions.js";
import type { ControlMessage } from "../../../../proxy/flow/message.js";
import { FluxError } from "../../../../src/errors.js";
import type { SequencedServerMessage } from "../../../../src/protocol/messages.js";
import { curveSigner } from "../../../../src/signing/curve.js";
import { noneSigner } from "../../../../src/signing/none.js";
import { signedPayload } from "../../../../src/signing/signer.js";
import {
  type Client,
  type Harness,
  type HarnessOptions,
  IDENTITY,
  json,
  MemoryBroker,
  openSession,
} from "../support/memory.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
};
const pass = async (ms: number) => {
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
};

const watch = (id: number, fields: object = {}, payload: object = { interval: 1000 }) => ({
  ...{ type: "request", id, topic: "rexec.list", nodeid: "0-1", streaming: true, payload },
  ...fields,
});
const proc = (pid: number, label = "", state = "R") => ({ pid, cmd: "sh", label, state });
const limited = (fields: object, actions = ["list", "exec"]): Identity => ({
  ...IDENTITY,
  permissions: readPermissions(undefined, [{ type: "flux_subprocess", actions, ...fields }]),
});

/** A session whose broker answers each poll from `procs`, by rank. */
class World {
  readonly procs: Record<number, ReturnType<typeof proc>[]> = { 0: [], 1: [] };
  polled: { topic: string; rank: number | undefined; payload: unknown }[] = [];
  /** The connections for polls that are open, and how many there have been. */
  polls: MemoryBroker[] = [];
  opened = 0;

  private constructor(readonly h: Harness) {}

  static async open({ size = 4, ...options }: HarnessOptions & { size?: number } = {}): Promise<World> {
    const session = new MemoryBroker();
    session.attributes["size"] = String(size);
    let world: World | undefined;
    let connections = 0;
    const opening = openSession({
      ...options,
      connectBroker: async () => (connections++ === 0 ? session : (world as World).#poll()),
    });
    await settle();
    world = new World({ ...(await opening), broker: session });
    return world;
  }

  #poll(): MemoryBroker {
    const broker = new MemoryBroker();
    const request = broker.request.bind(broker);
    broker.request = (call, handler) => {
      request(call, handler);
      if (call.topic === "attr.get") return;
      const rank = call.nodeid ?? 1;
      this.polled.push({ topic: call.topic, rank: call.nodeid, payload: json(call) });
      queueMicrotask(() => handler.response({ rank, procs: this.procs[rank] ?? [] }));
    };
    this.opened++;
    this.polls.push(broker);
    void broker.closed.then(() => this.polls.splice(this.polls.indexOf(broker), 1));
    return broker;
  }

  /** The messages to a client since the last call. */
  received({ socket } = this.h as Client): Omit<SequencedServerMessage, "seq">[] {
    const messages = socket.messages.splice(0);
    return messages.map(({ seq: _, ...message }) => message as ControlMessage);
  }
}

/** The timers of so many sessions that watch nothing. */
async function timersOf(sessions: number): Promise<number> {
  const before = vi.getTimerCount();
  for (let i = 0; i < sessions; i++) await openSession();
  return vi.getTimerCount() - before;
}

const difference = (id: number, rank: number, procs: object[], gone: number[] = []) => ({
  type: "response",
  id,
  rank,
  payload: { rank, procs, gone },
});
const denied = (id: number, ranks: number | string, message: string, errno = 1) => ({
  type: "error",
  id,
  ...(typeof ranks === "number" ? { rank: ranks } : { ranks }),
  errno,
  message,
});

describe("a watch", () => {
  test("tells the table of each rank, and then what changes", async () => {
    const world = await World.open();
    world.procs[1] = [proc(7)];
    world.h.next(watch(1));
    await settle();
    expect(world.received()).toEqual([difference(1, 0, []), difference(1, 1, [proc(7)])]);
    await pass(2000);
    expect(world.received()).toEqual([]);
    world.procs[1] = [proc(7, "", "Z"), proc(8)];
    await pass(1000);
    world.procs[1] = [proc(8)];
    await pass(1000);
    expect(world.received()).toEqual([
      difference(1, 1, [proc(7, "", "Z"), proc(8)]),
      difference(1, 1, [], [7]),
    ]);
    expect(world.h.broker.calls).toEqual([]);
    expect(new Set(world.polled.map(({ topic, rank }) => `${topic} ${rank}`))).toEqual(
      new Set(["rexec.list 0", "rexec.list 1"]),
    );
  });

  test("takes an id a rank, which are free when it was detached from", async () => {
    const world = await World.open();
    world.h.next(watch(1));
    await settle();
    world.received();
    world.h.next({ type: "detach", id: 1 });
    expect(world.received()).toEqual([denied(1, "0-1", "detached", 125)]);
    world.h.next({ type: "detach", id: 1 });
    world.h.next(watch(2));
    world.h.next(watch(3));
    expect(world.h.socket.closes).toEqual([{ code: 4409, reason: "id 3 is in use" }]);
  });

  test.each([
    [{ type: "eof", id: 1, stream: "stdin" }],
    [{ type: "consumed", id: 1, rank: 0, stream: "stdout", bytes: 1 }],
    [{ type: "write", id: 1, rank: 0, stream: "stdin", bytes: 0, signature: "" }],
    [{ type: "brake", id: 1, rank: 0, stop: "", cont: "" }],
  ])("takes nothing else: $type", async (message) => {
    const world = await World.open();
    world.h.next(watch(1));
    world.h.next(message);
    expect(world.h.socket.closes).toEqual([{ code: 4400, reason: "request 1 is a watch" }]);
  });

  test.each([[0], [-1], [1.5], ["1"], [null]])("refuses the interval %j", async (interval) => {
    const world = await World.open();
    world.h.next(watch(1, { nodeid: "0" }, { interval }));
    expect(world.received()).toEqual([denied(1, 0, "interval is not a positive integer", 22)]);
    world.h.next(watch(1, { nodeid: "0" }));
    await settle();
    expect(world.received()).toEqual([difference(1, 0, [])]);
  });

  test("has an interval within bounds", async () => {
    const world = await World.open();
    world.h.next(watch(1, { nodeid: "0" }, { interval: 1 }));
    await pass(10_050);
    expect(world.polled.length).toBe(101);
  });

  test('of "any" may be answered upstream where the broker may not have the service', async () => {
    const world = await World.open();
    world.h.next(watch(1, { nodeid: "any" }));
    world.h.next(watch(2, { nodeid: "any", topic: "x.rexec.list" }));
    await settle();
    expect(world.polled).toMatchObject([{ rank: 1 }, { topic: "x.rexec.list", rank: undefined }]);
    expect(world.received()).toEqual([difference(1, 1, []), difference(2, 1, [])]);
  });

  test("of a service that is no subprocess server is a request like any other", async () => {
    const world = await World.open();
    world.h.next(watch(1, { topic: "attr.list" }));
    await settle();
    // The answers of the broker itself: a watch has differences, with `gone`.
    expect(world.h.socket.messages).toMatchObject([
      { type: "response", id: 1, rank: 0 },
      { type: "response", id: 1, rank: 1 },
    ]);
    expect(JSON.stringify(world.h.socket.messages)).not.toContain("gone");
  });

  test("has no more ranks than a session may watch", async () => {
    // So many timers are too many for those of a test.
    vi.useRealTimers();
    const all = await World.open({ size: 70_000 });
    all.h.socket.bufferedAmount = 1024 * 1024;
    all.h.next(watch(1, { nodeid: "0-16383" }));
    all.h.next(watch(100_000, { nodeid: "0-1" }));
    expect(all.received()).toEqual([denied(100_000, "0-1", "a session may watch 16384 ranks", 105)]);
    all.h.session.closed(1000);
    await settle();
    expect(all.polls).toEqual([]);
  });

  test("shares its polls with all sessions of the user, and none is left when nobody watches", async () => {
    const world = await World.open();
    const other = await world.h.connect();
    await settle();
    world.h.next(watch(1));
    other.session.text(JSON.stringify({ ...watch(1), seq: 1 }));
    other.session.text(JSON.stringify({ ...watch(3), seq: 2 }));
    await pass(10_000);
    // 0, 200, 600, 1400, 2400 and on, twice.
    expect(world.polled).toHaveLength(2 * 12);
    expect(world.received(other)).toHaveLength(4);
    // One is the other session's own.
    expect([world.opened, world.polls.length]).toEqual([2, 2]);
    world.h.next({ type: "detach", id: 1 });
    other.session.text('{"type":"detach","id":1,"seq":3}');
    await settle();
    expect(world.polls.length).toBe(2);
    other.session.text('{"type":"detach","id":3,"seq":4}');
    await settle();
    expect([world.opened, world.polls.length]).toEqual([2, 1]);
    expect(vi.getTimerCount()).toBe(await timersOf(2));
  });
});

describe("what a token allows", () => {
  test("is judged rank by rank, as a list is", async () => {
    const world = await World.open({ verify: async () => limited({ ranks: "1" }) });
    world.h.next(watch(1, { nodeid: "0-2" }));
    await settle();
    const message = "token does not allow list: ranks";
    expect(world.received()).toEqual([denied(1, "0,2", message), difference(1, 1, [])]);
    expect(world.polled.map(({ rank }) => rank)).toEqual([1]);
  });

  test.each([
    [limited({}, ["exec"]), "token does not allow list: actions"],
    [limited({ services: ["sdexec"] }), "token does not allow list: services"],
    [
      { ...IDENTITY, permissions: readPermissions("watch exec", undefined) },
      "token does not allow list: scope",
    ],
  ])("may be nothing: %#", async (identity, message) => {
    const world = await World.open({ verify: async () => identity });
    world.h.next(watch(1));
    await settle();
    expect(world.received()).toEqual([denied(1, "0-1", message)]);
    expect([world.polled, world.opened]).toEqual([[], 0]);
    // The ids are free.
    world.h.next(watch(1));
    expect(world.h.socket.closes).toEqual([]);
  });

  test("is some labels, and the session's own processes, whoever else watches all", async () => {
    let all = true;
    const world = await World.open({
      verify: async () => (all ? IDENTITY : limited({ labels: ["mine-*"] })),
    });
    all = false;
    const other = await world.h.connect();
    world.procs[1] = [proc(1, "mine-1"), proc(2, "yours"), proc(3)];
    world.h.next(watch(1, { nodeid: "1" }));
    other.session.text(JSON.stringify({ ...watch(1, { nodeid: "1" }), seq: 1 }));
    await settle();
    expect(world.received()).toEqual([difference(1, 1, world.procs[1])]);
    expect(world.received(other)).toEqual([difference(1, 1, [proc(1, "mine-1")])]);
    world.procs[1] = [proc(2, "yours"), proc(4, "mine-4")];
    await pass(1000);
    expect(world.received(other)).toEqual([difference(1, 1, [proc(4, "mine-4")], [1])]);
    world.procs[1] = [proc(4, "mine-4")];
    await pass(1000);
    expect(world.received(other)).toEqual([]);
    // A session may end a process that it was shown, by pid.
    other.session.text(
      JSON.stringify({
        ...{ type: "request", seq: 2, id: 9, topic: "rexec.kill", nodeid: "1", streaming: false },
        payload: { pid: 4, signum: 9 },
      }),
    );
    expect(world.received(other)).toEqual([denied(9, 1, "token does not allow kill: actions")]);
  });

  test("may be less after a renewal: a rank is over, labels are hidden, and the rest stays", async () => {
    let identity: Identity = IDENTITY;
    const world = await World.open({ verify: async () => identity });
    world.procs[1] = [proc(1, "a"), proc(2, "b")];
    world.h.next(watch(1));
    await settle();
    world.received();
    identity = limited({ ranks: "1", labels: ["b"] });
    world.h.session.text('{"type":"token","token":"next"}');
    await pass(0);
    expect(world.received()).toEqual([
      difference(1, 1, [], [1]),
      denied(1, 0, "token does not allow list: ranks"),
    ]);
    expect(world.opened).toBe(1);
    identity = limited({}, ["exec"]);
    world.h.session.text('{"type":"token","token":"next"}');
    await pass(0);
    expect(world.received()).toEqual([denied(1, 1, "token does not allow list: actions")]);
    expect(world.polls).toEqual([]);
  });
});

describe("signatures", () => {
  test("are made for each poll where the proxy signs", async () => {
    const world = await World.open({ signer: noneSigner(1000) });
    world.h.next(watch(1, { nodeid: "0", sign: true, topic: "1000-shell-f.rexec.list" }));
    world.h.next(watch(2, { nodeid: "0", topic: "1000-shell-f.rexec.list" }));
    await settle();
    expect(world.polled).toMatchObject([{ payload: {} }, { payload: { signature: expect.any(String) } }]);
    expect(world.received()).toHaveLength(2);
  });

  test.each([
    [{ sign: true }, {}, "the proxy cannot sign: it has no signer"],
    [{}, { signature: "x" }, "no token allows watch: signature is not HEADER.PAYLOAD.SIGNATURE"],
  ])("are EPERM where the proxy cannot: %j %j", async (fields, payload, message) => {
    const world = await World.open();
    world.h.next(watch(1, { ...fields, nodeid: "0" }, payload));
    await settle();
    expect([world.received(), world.opened]).toEqual([[denied(1, 0, message)], 0]);
  });
});

const topic = "1000-shell-f.rexec.list";
const sign = (text = "{}", signer = noneSigner(1000)) => signedPayload(signer, topic, JSON.parse(text));
/** A watch of rank 0 that the client has signed. */
const signedWatch = async (id: number, payload?: object) =>
  watch(id, { nodeid: "0", topic }, { interval: 1000, ...(payload ?? (await sign())) });

describe("signatures of the client", () => {
  const stale = (id: number) => ({ type: "stale", id });

  test("serve all polls for 10 s; then the client is asked for one, once, and nothing is sent before", async () => {
    const world = await World.open();
    world.h.next({ ...(await signedWatch(1)), nodeid: "0-1" });
    await pass(9000);
    expect(world.received()).toEqual([difference(1, 0, []), difference(1, 1, [])]);
    const { length } = world.polled;
    expect(length).toBeGreaterThan(10);
    await pass(3000);
    expect(world.received()).toEqual([stale(1)]);
    const polled = world.polled.splice(0).length;
    world.procs[1] = [proc(7)];
    const again = await sign();
    world.h.next({ type: "fresh", id: 1, ...again });
    await settle();
    expect(world.received()).toEqual([difference(1, 1, [proc(7)])]);
    // The broker gets the signature alone, at the same ranks as before.
    expect(world.polled).toEqual([0, 1].map((rank) => ({ topic, rank, payload: again })));
    expect(polled).toBeGreaterThanOrEqual(length);
  });

  test("serve for half of their lifetime, where that is less", async () => {
    const key = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
    const signer = await curveSigner({ key, userid: 1000, ttl: 4 });
    const world = await World.open();
    world.h.next(await signedWatch(1, await sign("{}", signer)));
    await pass(1500);
    expect(world.received()).toEqual([difference(1, 0, [])]);
    await pass(1500);
    expect(world.received()).toEqual([stale(1)]);
  });

  test("that do not come in time are the error of the ranks, until they do", async () => {
    const world = await World.open();
    world.h.next(await signedWatch(1));
    await pass(16_500);
    const message = "the client has not signed its list for 5 s";
    expect(world.received()).toEqual([
      difference(1, 0, []),
      stale(1),
      { type: "response", id: 1, rank: 0, payload: { errno: 110, message } },
    ]);
    await pass(20_000);
    expect(world.received()).toEqual([]);
    world.h.next({ type: "fresh", id: 1, ...(await sign()) });
    await pass(6000);
    expect(world.received()).toEqual([difference(1, 0, [])]);
  });

  test("are of one watch: no other is shown what they have brought", async () => {
    const world = await World.open();
    const other = await world.h.connect();
    await settle();
    world.procs[0] = [proc(7)];
    const signature = await sign();
    world.h.next(await signedWatch(1, signature));
    other.session.text(JSON.stringify({ ...(await signedWatch(1, signature)), seq: 1 }));
    other.session.text(JSON.stringify({ ...watch(2, { nodeid: "0", topic }), seq: 2 }));
    await settle();
    // One each, though all three are of one user.
    const polled = world.polled.map(({ payload }) => JSON.stringify(payload)).sort();
    expect(polled).toEqual([signature, signature, {}].map((payload) => JSON.stringify(payload)));
  });

  test("are asked for only while somebody is there to see, and not after the end", async () => {
    const world = await World.open();
    world.h.next(await signedWatch(1));
    await pass(9000);
    const { resume } = world.h.socket.welcome;
    world.received();
    world.h.session.closed();
    await pass(60_000);
    expect([world.received(), world.polls]).toEqual([[], []]);
    const back = await world.h.connect({ resume: { id: resume, received: 1 } });
    await settle();
    expect(world.received(back)).toEqual([stale(1)]);
    back.session.text(JSON.stringify({ type: "detach", id: 1, seq: 2 }));
    await settle();
    expect(world.received(back)).toEqual([denied(1, 0, "detached", 125)]);
    expect(world.polls).toEqual([]);
    // It crossed the last message.
    back.session.text(JSON.stringify({ type: "fresh", id: 1, ...(await sign()), seq: 3 }));
    expect(back.socket.closes).toEqual([]);
    expect(vi.getTimerCount()).toBe(await timersOf(1));
  });

  test.each([
    ["another user's", () => sign("{}", noneSigner(1001)), "signature is of another user"],
    ["more than a list", () => sign('{"rank":1}'), "signature is of more than a list"],
    [
      "another list",
      () => signedPayload(noneSigner(1000), "rexec.list", {}),
      "signature is of another topic",
    ],
    [
      "a kill",
      () => signedPayload(noneSigner(1000), "1000-shell-f.rexec.kill", { pid: 1, signum: 9 }),
      "signature is of another topic",
    ],
    [
      "what is too long",
      async () => ({ signature: "x".repeat(4097) }),
      "signature is longer than 4096 characters",
    ],
  ])("that are %s are refused, at the beginning and later", async (_, make, reason) => {
    const world = await World.open();
    const payload = await make();
    world.h.next(await signedWatch(1, payload));
    await settle();
    expect(world.received()).toEqual([denied(1, 0, `no token allows watch: ${reason}`)]);
    expect(world.opened).toBe(0);
    world.h.next(await signedWatch(1));
    await settle();
    expect(world.received()).toEqual([difference(1, 0, [])]);
    world.h.next({ type: "fresh", id: 1, ...payload });
    expect(world.h.socket.closes).toEqual([{ code: 4400, reason: `fresh: ${reason}` }]);
  });

  test.each([
    [watch(1, { nodeid: "0" }), "fresh: the watch is not signed by the client"],
    [{ ...watch(1, { nodeid: "0" }), topic: "attr.list" }, "request 1 is no watch"],
  ])("are of a watch that the client has signed: %#", async (request, reason) => {
    const world = await World.open();
    world.h.next(request);
    await settle();
    world.h.next({ type: "fresh", id: 1, ...(await sign()) });
    expect(world.h.socket.closes).toEqual([{ code: 4400, reason }]);
  });

  test("belong to at most 64 watches of a session, signed or not", async () => {
    const world = await World.open();
    for (let id = 1; id <= 65; id++) world.h.next(watch(id, { nodeid: "0" }));
    await settle();
    const messages = world.received();
    expect(messages).toContainEqual(denied(65, 0, "a session may have 64 watches", 105));
    expect(messages.filter(({ type }) => type === "response")).toHaveLength(64);
  });

  test("are of 16 watches of a session", async () => {
    const world = await World.open();
    for (let id = 1; id <= 17; id++) world.h.next(await signedWatch(id));
    world.h.next(watch(18, { nodeid: "0" }));
    await settle();
    const messages = world.received();
    expect(messages).toContainEqual(denied(17, 0, "a session signs at most 16 watches", 105));
    expect(messages.filter(({ type }) => type === "response")).toHaveLength(17);
    world.h.next({ type: "detach", id: 1 });
    world.received();
    world.h.next(await signedWatch(17));
    await settle();
    expect(world.received()).toEqual([difference(17, 0, [])]);
  });
});

describe("a client that is slow, or away", () => {
  test("gets the present table, and not the changes that led to it", async () => {
    const world = await World.open();
    world.h.next(watch(1, { nodeid: "1" }));
    await settle();
    world.received();
    world.h.socket.bufferedAmount = 1024 * 1024;
    for (let pid = 1; pid <= 20; pid++) {
      world.procs[1] = [proc(pid), proc(100)];
      await pass(1000);
    }
    expect(world.received()).toEqual([]);
    world.h.socket.bufferedAmount = 0;
    world.h.session.drained();
    expect(world.received()).toEqual([difference(1, 1, [proc(20), proc(100)])]);
  });

  test("holds no more than it may leave unacknowledged", async () => {
    const world = await World.open();
    world.h.next(watch(1, { nodeid: "1" }));
    await settle();
    for (let i = 0; i < 100; i++) {
      world.procs[1] = [proc(i, "x".repeat(100_000))];
      await pass(1000);
    }
    const messages = world.received().length;
    expect(messages).toBeLessThan(14);
    world.h.session.text(JSON.stringify({ type: "ack", seq: messages }));
    expect(world.received()).toEqual([difference(1, 1, world.procs[1] ?? [], [expect.any(Number)])]);
  });

  test("causes no poll while it is away, and gets the difference when it is back", async () => {
    const world = await World.open();
    world.procs[1] = [proc(1)];
    world.h.next(watch(1, { nodeid: "1" }));
    await settle();
    const { resume } = world.h.socket.welcome;
    world.received();
    world.h.session.closed();
    await settle();
    expect(world.polls).toEqual([]);
    const polled = world.polled.length;
    await pass(60_000);
    expect(world.polled.length).toBe(polled);
    world.procs[1] = [proc(2)];
    const back = await world.h.connect({ resume: { id: resume, received: 1 } });
    await settle();
    expect(world.received(back)).toEqual([difference(1, 1, [proc(2)], [1])]);
  });

  test.each([
    ["nobody else", false],
    ["another session", true],
  ])("has only what changed when it resumes a watch that %s shares", async (_, shared) => {
    const world = await World.open();
    world.procs[1] = [proc(1), proc(2), proc(3, "a")];
    const other = await world.h.connect();
    if (shared) other.session.text(JSON.stringify({ ...watch(1, { nodeid: "1" }), seq: 1 }));
    world.h.next(watch(1, { nodeid: "1" }));
    await settle();
    world.received();
    world.h.session.closed();
    await settle();
    // One is the session of the other.
    expect(world.polls.length).toBe(shared ? 2 : 1);
    world.procs[1] = [proc(1), proc(3, "a", "Z"), proc(4)];
    await pass(1000);
    const back = await world.h.connect({ resume: { id: world.h.socket.welcome.resume, received: 1 } });
    await pass(1000);
    expect(world.received(back)).toEqual([difference(1, 1, [proc(3, "a", "Z"), proc(4)], [2])]);
  });

  test("has a failure without a rank of its own, in a message that has it", async () => {
    const world = await World.open();
    world.h.next(watch(1, { nodeid: "0" }));
    await settle();
    world.received();
    const [poll] = world.polls;
    if (poll === undefined) throw new Error("nobody polls");
    poll.request = (_, handler) => queueMicrotask(() => handler.error(new FluxError(113, "gone")));
    await pass(1000);
    const payload = { errno: 113, message: "gone" };
    expect(world.received()).toEqual([{ type: "response", id: 1, rank: 0, payload }]);
  });

  test("gets nothing again that it had when it left", async () => {
    const world = await World.open();
    world.h.next(watch(1, { nodeid: "1" }));
    await settle();
    world.h.session.closed();
    const back = await world.h.connect({ resume: { id: world.h.socket.welcome.resume, received: 1 } });
    await pass(5000);
    expect(world.received(back)).toEqual([]);
  });
});

describe("a change that one token shows and that was not sent yet", () => {
  const wide = [proc(1, "a"), proc(2, "b")];

  test("is sent only as the next token allows", async () => {
    let identity: Identity = IDENTITY;
    const world = await World.open({ verify: async () => identity });
    world.h.next(watch(1, { nodeid: "1" }, { interval: 1000 }));
    await settle();
    world.received();
    world.h.socket.bufferedAmount = 1024 * 1024;
    world.procs[1] = wide;
    await pass(1000);
    identity = limited({ labels: ["b"] });
    world.h.session.text('{"type":"token","token":"next"}');
    // Not the poll that comes next, but what was there before it.
    await settle();
    world.h.socket.bufferedAmount = 0;
    world.h.session.drained();
    expect(world.received()).toEqual([difference(1, 1, [proc(2, "b")])]);
  });

  test("nor when it is resumed with less", async () => {
    let identity: Identity = IDENTITY;
    const world = await World.open({ verify: async () => identity });
    world.h.next(watch(1, { nodeid: "1" }, { interval: 1000 }));
    await settle();
    world.received();
    world.h.socket.bufferedAmount = 1024 * 1024;
    world.procs[1] = wide;
    await pass(1000);
    const { resume } = world.h.socket.welcome;
    world.h.session.closed();
    identity = limited({ labels: ["b"] });
    const back = await world.h.connect({ resume: { id: resume, received: 1 } });
    await settle();
    expect(world.received(back)).toEqual([difference(1, 1, [proc(2, "b")])]);
  });
});

describe("what this proxy starts and ends", () => {
  const exec = { type: "request", id: 9, topic: "rexec.exec", nodeid: "1", streaming: true };
  const cmd = { cmdline: ["x"], env: {} };

  test("has its rank asked at once, and no other", async () => {
    const world = await World.open();
    world.h.next(watch(1, {}, { interval: 60_000 }));
    await pass(300_000);
    const { h } = world;
    const asked = async (what: () => void) => {
      world.polled = [];
      what();
      await settle();
      const ranks = world.polled.map(({ rank }) => rank);
      await pass(200_000);
      return ranks;
    };
    const request = (topic: string, payload: object) =>
      h.next({ ...exec, id: 20, topic, streaming: false, payload });
    h.next({ ...exec, payload: { cmd, flags: 3 } });
    expect(await asked(() => h.broker.handler(9).response({ type: "started", pid: 7 }))).toEqual([1]);
    expect(await asked(() => h.broker.handler(9).response({ type: "stopped" }))).toEqual([]);
    expect(await asked(() => h.broker.handler(9).response({ type: "finished", status: 0 }))).toEqual([1]);
    expect(await asked(() => h.broker.handler(9).end())).toEqual([1]);
    request("rexec.exec", { cmd, flags: 0 });
    expect(await asked(() => h.broker.handler(20).response({ type: "started", pid: 8 }))).toEqual([1]);
    request("rexec.kill", { pid: 8, signum: 9 });
    expect(await asked(() => h.broker.handler(20).response({}))).toEqual([1]);
    request("rexec.wait", { pid: 8 });
    expect(await asked(() => h.broker.handler(20).response({ status: 0 }))).toEqual([1]);
    request("sdexec.kill", { pid: 8, signum: 9 });
    expect(await asked(() => h.broker.handler(20).response({}))).toEqual([]);
    request("kvs.wait", {});
    expect(await asked(() => h.broker.handler(20).response({}))).toEqual([]);
  });

  test("has its rank asked when its session ends", async () => {
    const world = await World.open();
    const other = await world.h.connect();
    world.h.next(watch(1, {}, { interval: 60_000 }));
    other.session.text(JSON.stringify({ ...exec, seq: 1, payload: { cmd, flags: 3 } }));
    await pass(300_000);
    world.polled = [];
    other.session.closed(1000);
    await settle();
    expect(world.polled).toMatchObject([{ rank: 1 }]);
  });
});
