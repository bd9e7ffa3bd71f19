/** Requests and answers under a token that is limited to labels, in a session without I/O. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../../proxy/auth/identity.js";
import { readPermissions } from "../../../proxy/auth/permissions.js";
import type { BrokerCall } from "../../../proxy/broker/broker.js";
import { type Harness, IDENTITY, json, openSession, settle } from "./support/memory.js";

const details = (fields: object) => [
  { type: "flux_subprocess", actions: ["exec", "attach", "write", "kill", "wait", "list"], ...fields },
];
const identity = (fields: object): Identity => ({
  ...IDENTITY,
  permissions: readPermissions(undefined, details(fields)),
});

const rpc = { type: "request", nodeid: "any", streaming: false };
const list = { ...rpc, topic: "rexec.list", payload: {} };
const kill = (target: object) => ({ ...rpc, topic: "rexec.kill", payload: { signum: 9, ...target } });
const exec = (label?: string, streaming = false) => ({
  ...{ ...rpc, topic: "rexec.exec", streaming },
  payload: { cmd: { cmdline: ["x"], env: {}, ...(label === undefined ? {} : { label }) }, flags: 11 },
});
const process = (pid: number, label: string) => ({ pid, label, cmd: "x", state: "R" });

describe("an empty label", () => {
  test.each([
    ["exec", exec("")],
    ["kill", kill({ pid: 1, label: "" })],
    ["wait", { ...rpc, topic: "rexec.wait", payload: { pid: 1, label: "" } }],
    ["attach", { ...rpc, topic: "rexec.attach", streaming: true, payload: { pid: 1, label: "", flags: 3 } }],
  ])("is refused in %s, for RFC 42 forbids it and a server may take it for a name", async (_, request) => {
    const h = await openSession();
    h.next({ ...request, id: 1 });
    expect(h.socket.messages).toMatchObject([{ type: "error", errno: 22, message: "label is empty" }]);
    expect(h.broker.calls).toEqual([]);
    const { label: __, ...named } = request.payload as { label?: string };
    const allowed = "cmd" in named ? exec("mine-1").payload : named;
    h.next({ ...request, id: 2, payload: allowed });
    expect(h.socket.messages).toHaveLength(1);
  });
});

test("an empty label is refused also beside a wrong pid", async () => {
  const h = await openSession();
  h.next({ ...kill({ pid: 2 ** 32 + 1, label: "" }), id: 1 });
  expect(h.socket.messages).toMatchObject([{ type: "error", errno: 22, message: "label is empty" }]);
  expect(h.broker.calls).toEqual([]);
});

describe("a limit on labels", () => {
  let h: Harness;
  beforeEach(async () => {
    h = await openSession({ verify: async () => identity({ labels: ["mine-*"] }) });
  });
  const last = () => h.broker.calls.at(-1)?.call as BrokerCall;

  test("hides processes with another label or without one, but not the session's own", () => {
    h.next({ ...exec("mine-1"), id: 1 });
    h.broker.handler(1).response({ type: "started", pid: 1 });
    h.next({ ...list, id: 2 });
    const procs = [process(1, "mine-1"), process(2, "mine-2"), process(3, "yours"), process(4, "")];
    h.broker.handler(2).response({ rank: 1, procs });
    expect(h.socket.messages.at(-1)).toMatchObject({ payload: { rank: 1, procs: procs.slice(0, 2) } });
  });

  test.each([[{ procs: [{ pid: 1 }] }], [{ procs: "all" }], [{}], [{ procs: [null] }]])(
    "shows nothing of a list that is not understood: %j",
    (payload) => {
      h.next({ ...list, id: 2 });
      h.broker.handler(2).response(payload);
      expect(h.socket.messages).toMatchObject([{ type: "response", payload: { procs: [] } }]);
    },
  );

  test("makes a pid that a list has shown the label that it had, on its rank", () => {
    h.next({ ...list, id: 2 });
    h.broker.handler(2).response({ rank: 1, procs: [process(2, "mine-2")] });
    h.next({ ...kill({ pid: 2 }), id: 3 });
    expect([last(), json(last())]).toMatchObject([
      { topic: "rexec.kill", nodeid: 1 },
      { signum: 9, pid: -1, label: "mine-2" },
    ]);
  });

  test("makes the pid of an own process its label, in background and in the foreground", () => {
    for (const [id, streaming] of [
      [1, false],
      [2, true],
    ] as const) {
      h.next({ ...exec(`mine-${id}`, streaming), id });
      h.broker.handler(id).response({ type: "started", pid: 70 + id });
      h.next({ ...kill({ pid: 70 + id }), id: 10 + id });
      expect(json(last())).toMatchObject({ pid: -1, label: `mine-${id}` });
    }
  });

  test("leaves no pid beside a label", () => {
    h.next({ ...kill({ pid: 1, label: "mine-1" }), id: 3 });
    expect(json(last())).toMatchObject({ pid: -1, label: "mine-1" });
  });

  test('makes "any" the rank that was judged', () => {
    h.next({ ...exec("mine-1", true), id: 1 });
    h.session.text(JSON.stringify({ type: "eof", id: 1, seq: 2, stream: "stdin" }));
    expect([last().nodeid, h.broker.sent[0]?.nodeid]).toEqual([1, 1]);
  });
});

test("without a limit on labels nothing is changed", async () => {
  const h = await openSession({ verify: async () => identity({}) });
  h.next({ ...list, id: 1 });
  h.broker.handler(1).response({ rank: 1, procs: [process(1, "")] });
  h.next({ ...kill({ pid: 1 }), id: 2 });
  expect(h.socket.messages).toMatchObject([{ payload: { procs: [process(1, "")] } }]);
  expect(json(h.broker.calls[1]?.call as BrokerCall)).toEqual({ pid: 1, signum: 9 });
});

test("one detail without the limit lifts it for the actions that it allows", async () => {
  const both = [...details({ labels: ["a"] }), ...details({ actions: ["list"] })];
  const permissions = readPermissions(undefined, both);
  const h = await openSession({ verify: async () => ({ ...IDENTITY, permissions }) });
  h.next({ ...list, id: 1 });
  h.broker.handler(1).response({ rank: 1, procs: [process(1, "b")] });
  expect(h.socket.messages).toMatchObject([{ payload: { procs: [process(1, "b")] } }]);
  h.next({ ...kill({ pid: 1 }), id: 2 });
  expect(h.socket.messages.at(-1)).toMatchObject({ message: "token does not allow kill: labels" });
});

describe("a renewal that takes the input away", () => {
  let next: Identity;
  let h: Harness;
  beforeEach(async () => {
    let token = 0;
    next = { ...IDENTITY, permissions: readPermissions("exec", undefined) };
    h = await openSession({ verify: async () => (token++ === 0 ? IDENTITY : next) });
    h.next({ ...exec(undefined, true), id: 1 });
    h.broker.handler(1).response({ type: "add-credit", channels: { stdin: 10 } });
    h.session.text('{"type":"token","token":"next"}');
    await settle();
  });
  const input = async (seq: number, data: string) => {
    const { encodeDataFrame, ALL_RANKS } = await import("../../../src/protocol/frame.js");
    h.session.binary(
      encodeDataFrame({ seq, id: 1, rank: ALL_RANKS, stream: "stdin", data: new TextEncoder().encode(data) }),
    );
  };

  test("says so, and drops what was on its way", async () => {
    expect(h.socket.messages.slice(1)).toMatchObject([
      { type: "refused", id: 1, stream: "stdin", errno: 1, message: "token does not allow write: scope" },
    ]);
    await input(2, "x".repeat(10));
    h.broker.handler(1).response({ type: "add-credit", channels: { stdin: 10, X: 5 } });
    expect(h.socket.messages.slice(2)).toMatchObject([{ type: "refused", stream: "X" }]);
    expect(h.broker.sent).toEqual([]);
    expect(h.socket.closes).toEqual([]);
  });

  test("closes on more than was granted before", async () => {
    await input(2, "x".repeat(11));
    expect(h.socket.closes).toMatchObject([{ code: 4429 }]);
  });
});
