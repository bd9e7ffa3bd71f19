/** Ranks that do not answer in time, and their late answers. PROTOCOL.md, "Requests" and "Processes". */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Budget } from "../../../../proxy/flow/budget.js";
import { Liveness, type ProbeAnswer } from "../../../../proxy/liveness/liveness.js";
import type { Allowances } from "../../../../proxy/session/allowances.js";
import { FluxError } from "../../../../src/errors.js";
import { type Harness, json, openSession, settle } from "../support/memory.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** Time passes, and all that follows from it happens. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}

const list = { type: "request", topic: "rexec.list", nodeid: "1-2", streaming: false, payload: {} };
const exec = {
  type: "request",
  topic: "rexec.exec",
  nodeid: "1-2",
  streaming: true,
  payload: { cmd: { cmdline: ["true"], env: {}, opts: {}, channels: [] }, flags: 11 },
};
const listed = (rank: number) => ({ rank, procs: [] });

/** The types of an id's messages, with the rank or ranks and the errno. */
const answers = ({ socket }: Harness, id: number) =>
  socket.messages
    .filter((message) => message.id === id)
    .map(({ type, ...rest }) => {
      const { rank, ranks, errno } = rest as { rank?: number; ranks?: string; errno?: number };
      return [type, rank ?? ranks, errno].filter((part) => part !== undefined).join(" ");
    });

describe("the deadline of a request", () => {
  test("ends a rank that has not answered with ETIMEDOUT, which names the topic, the ranks and the time", async () => {
    const harness = await openSession();
    harness.next({ ...list, id: 1, timeout: 2500 });
    harness.broker.handler(1).response(listed(1));
    await pass(2499);
    expect(answers(harness, 1)).toEqual(["response 1"]);
    await pass(1);
    expect(harness.socket.messages.at(-1)).toMatchObject({
      type: "error",
      id: 1,
      rank: 2,
      errno: 110,
      message: "rank 2 has not answered rexec.list for 2.5 s",
    });
  });

  test("is kept by an answer, also by an error; without one a rank is waited for for ever", async () => {
    const harness = await openSession();
    harness.next({ ...list, id: 1, timeout: 1000 });
    harness.next({ ...list, id: 5, nodeid: "0-3" });
    harness.broker.handler(1).response(listed(1));
    harness.broker.handler(2).error(new FluxError(38));
    await pass(3_600_000);
    expect(answers(harness, 1)).toEqual(["response 1", "error 2 38"]);
    expect(answers(harness, 5)).toEqual([]);
  });

  test("takes no answer that comes late for that of another request: the id is in use until then", async () => {
    const harness = await openSession();
    harness.next({ ...list, id: 1, nodeid: "1", timeout: 1000 });
    await pass(1000);
    expect(answers(harness, 1)).toEqual(["error 1 110"]);
    harness.broker.handler(1).response(listed(1));
    expect(answers(harness, 1)).toEqual(["error 1 110"]);
    harness.next({ ...list, id: 1, nodeid: "1", timeout: 1000 });
    await pass(1000);
    expect(harness.socket.closes).toEqual([]);
    harness.next({ ...list, id: 1, nodeid: "1" });
    expect(harness.socket.closes).toMatchObject([{ code: 4409 }]);
  });

  test("leaves a rank its place among those that are open until the broker has answered", async () => {
    const allowance = {
      ranks: new Budget("a session may have 3 ranks open", 3),
      bytes: new Budget("", 1e9),
      attaches: new Budget("", 1),
    };
    const allowances = { open: () => allowance, close: () => {} } as unknown as Allowances;
    const harness = await openSession({ allowances });
    harness.next({ ...list, id: 1, timeout: 1000 });
    await pass(1000);
    expect(answers(harness, 1)).toEqual(["error 1-2 110"]);
    harness.next({ ...list, id: 10 });
    expect(answers(harness, 10)).toEqual(["error 1-2 105"]);
    harness.broker.handler(1).response(listed(1));
    harness.broker.handler(2).error(new FluxError("EHOSTUNREACH"));
    harness.next({ ...list, id: 20, nodeid: "0-2" });
    expect(answers(harness, 20)).toEqual([]);
  });

  test("of a process is that of its start: it may run for ever then", async () => {
    const harness = await openSession();
    harness.next({ ...exec, id: 1, timeout: 1000 });
    harness.broker.handler(1).response({ type: "started", pid: 7 });
    await pass(3_600_000);
    expect(answers(harness, 1)).toEqual(["response 1", "error 2 110"]);
    harness.broker.handler(1).response({ type: "finished", status: 0 });
    harness.broker.handler(1).end();
    expect(answers(harness, 1).slice(2)).toEqual(["response 1", "end 1"]);
    // The proxy does not end a process that started in time.
    expect(harness.broker.calls.filter(({ call }) => call.topic === "rexec.kill")).toEqual([]);
  });

  test("ends a process that starts after its request was given up", async () => {
    const harness = await openSession();
    harness.next({ ...exec, id: 1, timeout: 1000 });
    await pass(1000);
    harness.broker.handler(2).response({ type: "started", pid: 8 });
    const kills = harness.broker.calls.filter(({ call }) => call.topic === "rexec.kill");
    expect(kills.map(({ call }) => [call.nodeid, json(call)])).toEqual([[2, { pid: 8, signum: 9 }]]);
    harness.broker.handler(2).response({ type: "finished", status: 9 });
    harness.broker.handler(2).end();
    expect(answers(harness, 1)).toEqual(["error 1-2 110"]);
  });

  test("of an attach closes its connection, with which a late one is gone", async () => {
    const harness = await openSession();
    const attach = { ...exec, topic: "rexec.attach", payload: { pid: 7, flags: 3 }, nodeid: "1" };
    harness.next({ ...attach, id: 1, timeout: 1000 });
    await pass(0);
    expect(harness.brokers.map(({ isClosed }) => isClosed)).toEqual([false, false]);
    await pass(1000);
    expect(answers(harness, 1)).toEqual(["error 1 110"]);
    expect(harness.brokers.map(({ isClosed }) => isClosed)).toEqual([false, true]);
    harness.next({ ...list, id: 1, nodeid: "1" });
    expect(harness.socket.closes).toEqual([]);
  });

  test.each([0, -1, 1.5, 2 ** 31, null, "1000"])("that is %j closes with 4400", async (timeout) => {
    const harness = await openSession();
    harness.next({ ...list, id: 1, timeout });
    expect(harness.socket.closes).toMatchObject([{ code: 4400 }]);
    expect(harness.broker.calls).toEqual([]);
  });
});

describe("ranks whose brokers do not answer", () => {
  /** Brokers that answer questions when the test says so. */
  async function open(): Promise<Harness & { hang: (rank: number) => void; resume: (rank: number) => void }> {
    const hung = new Map<number, ProbeAnswer[]>();
    const liveness = new Liveness({
      intervalMs: 5000,
      probe: (rank, answer) => {
        const waiting = hung.get(rank);
        if (waiting === undefined) answer.response();
        else waiting.push(answer);
      },
    });
    const harness = await openSession({ liveness });
    const hang = (rank: number) => void hung.set(rank, []);
    const resume = (rank: number) => {
      for (const answer of hung.get(rank) ?? []) answer.response();
      hung.delete(rank);
    };
    return { ...harness, hang, resume };
  }

  const round = async () => {
    await pass(5100);
  };

  test("are reported to calls that follow processes there, and so is their return; other ranks and calls get nothing", async () => {
    const harness = await open();
    harness.next({ ...exec, id: 1 });
    harness.next({ ...list, id: 10 });
    harness.hang(2);
    await round();
    await round();
    expect(answers(harness, 1)).toEqual(["unresponsive 2"]);
    harness.resume(2);
    expect(answers(harness, 1)).toEqual(["unresponsive 2", "responsive 2"]);
    await round();
    await round();
    expect([answers(harness, 1).length, answers(harness, 10)]).toEqual([2, []]);
  });

  test("are, for a client that was away, as they are then, however often they changed", async () => {
    const harness = await open();
    harness.next({ ...exec, id: 1 });
    const { resume: id } = harness.socket.welcome;
    harness.session.closed();
    for (let i = 0; i < 5; i++) {
      harness.hang(1);
      harness.hang(2);
      await round();
      await round();
      if (i < 4) harness.resume(1);
      harness.resume(2);
      await round();
    }
    const again = await harness.connect({ resume: { id, received: 0 } });
    expect(again.socket.messages).toMatchObject([{ type: "unresponsive", id: 1, rank: 1 }]);
  });

  test("that Flux cannot reach are over, though the answer was lost: a wait ends, and an exec with its other ranks alive", async () => {
    const gone = new Set<number>();
    const probe = (rank: number, answer: ProbeAnswer) =>
      gone.has(rank) ? answer.error(new FluxError("EHOSTUNREACH")) : answer.response();
    const harness = await openSession({ liveness: new Liveness({ intervalMs: 5000, probe }) });
    harness.next({ ...exec, id: 1 });
    harness.next({ ...list, topic: "rexec.wait", payload: { pid: 7 }, nodeid: "2", id: 10 });
    harness.broker.handler(1).response({ type: "started", pid: 7 });
    await round();
    expect([answers(harness, 1), answers(harness, 10)]).toEqual([["response 1"], []]);
    gone.add(2);
    await round();
    expect([answers(harness, 1), answers(harness, 10)]).toEqual([
      ["response 1", "error 2 113"],
      ["error 2 113"],
    ]);
    harness.broker.handler(1).end();
    expect(answers(harness, 1).at(-1)).toBe("end 1");
  });

  test("are asked for no request whose deadline says how long it waits, and for none that is over", async () => {
    let asked = 0;
    const probe = (_: number, answer: ProbeAnswer) => {
      asked++;
      answer.response();
    };
    const liveness = new Liveness({ intervalMs: 5000, probe });
    const harness = await openSession({ liveness });
    harness.next({ ...list, id: 1, timeout: 60_000 });
    harness.next({ ...exec, id: 10, nodeid: "1" });
    harness.broker.handler(10).end();
    await pass(30_000);
    expect(asked).toBe(0);
  });
});
