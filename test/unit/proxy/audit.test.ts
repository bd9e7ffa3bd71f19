import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createAudit } from "../../../proxy/audit.js";
import { readPermissions } from "../../../proxy/auth/permissions.js";
import { FluxError } from "../../../src/errors.js";
import { ALL_RANKS, encodeDataFrame } from "../../../src/protocol/frame.js";
import { CLOSE } from "../../../src/protocol/protocol-error.js";
import { IDENTITY, openSession, settle } from "./support/memory.js";

type Line = Record<string, unknown>;

/** A session with an audit, and its lines. */
async function audited(options: Parameters<typeof openSession>[0] = {}) {
  const texts: string[] = [];
  const audit = createAudit({ write: (text) => texts.push(text) }, () => {});
  const h = await openSession({ audit, peer: "192.0.2.1", ...options });
  const lines = () => texts.map((text) => JSON.parse(text) as Line);
  return { ...h, texts, lines, operations: () => lines().filter(({ event }) => event === "operation") };
}

const rpc = { type: "request", topic: "attr.get", nodeid: "any", streaming: false, payload: {} };
const exec = (cmd: object, flags = 3) => ({
  ...{ ...rpc, topic: "rexec.exec", streaming: true },
  payload: { cmd: { cmdline: ["true"], env: {}, ...cmd }, flags },
});

const who = {
  session: expect.any(String),
  peer: "192.0.2.1",
  sub: "alice",
  userid: 1000,
  tokenId: "token-1",
};
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

describe("the audit", () => {
  test("of a session: its beginning, its operations, its end", async () => {
    const { session, broker, next, lines } = await audited();
    next({ ...exec({ cmdline: ["sh", "-c", "x"], label: "l" }), id: 1, nodeid: "0-2" });
    const data = Buffer.from("hello");
    session.binary(encodeDataFrame({ seq: 2, id: 1, rank: ALL_RANKS, stream: "stdin", data }));
    broker.handler(1).response({ type: "started", pid: 7 });
    broker.handler(1).response({ type: "output", io: { stream: "stdout", rank: "0", data: "abc" } });
    broker.handler(1).end();
    broker.handler(3).error(new FluxError(113));
    expect(lines()).toHaveLength(1);
    broker.handler(2).error(new FluxError(2, "no such program"));
    session.closed(CLOSE.normal);
    expect(lines()).toEqual([
      { level: "info", event: "opened", time, ...who, expires: IDENTITY.expires },
      {
        ...{
          level: "info",
          event: "operation",
          time,
          ...who,
          operation: "exec",
          service: "rexec",
          ranks: "0-2",
          label: "l",
        },
        ...{ argv: ["sh", "-c", "x"], allowed: true, errno: 113, durationMs: expect.any(Number) },
        ...{ bytesIn: 5, bytesOut: 3, pids: [7] },
      },
      {
        level: "info",
        event: "closed",
        time,
        ...who,
        code: 1000,
        reason: "",
        durationMs: expect.any(Number),
      },
    ]);
  });

  test("of a refusal, with the reason", async () => {
    const permissions = readPermissions("exec", undefined);
    const { next, operations } = await audited({ verify: async () => ({ ...IDENTITY, permissions }) });
    next({ ...rpc, topic: "rexec.kill", payload: { pid: 7, signum: 9 }, id: 1, nodeid: "1,3" });
    expect(operations()).toMatchObject([
      {
        ...{ operation: "kill", service: "rexec", ranks: "1,3", pid: 7, allowed: false, errno: 1 },
        reason: "token does not allow kill: scope",
      },
    ]);
  });

  test("of the requests that were open when the session was lost", async () => {
    const { session, next, operations } = await audited();
    next({ ...exec({}), id: 1 });
    session.closed(CLOSE.normal);
    expect(operations()).toMatchObject([{ operation: "exec", errno: 104 }]);
  });

  test("of a refused token, without its claimed identity", async () => {
    const refuse = () => Promise.reject(new FluxError("EACCES", "token has expired"));
    const { lines } = await audited({ verify: refuse });
    const session = expect.any(String);
    expect(lines()).toEqual([
      {
        level: "warn",
        event: "refused",
        time,
        session,
        peer: "192.0.2.1",
        allowed: false,
        reason: "token has expired",
      },
    ]);
  });

  test("of a socket that was lost, and the one that came after it", async () => {
    let tokens = 0;
    const h = await audited({ verify: async () => ({ ...IDENTITY, tokenId: `token-${++tokens}` }) });
    const { session: id, resume } = h.socket.welcome;
    h.session.text('{"type":"ack","seq":0}');
    h.session.closed();
    await h.connect({ resume: { id: resume, received: 0 } });
    expect(h.lines().map(({ event, session, tokenId }) => [event, session, tokenId])).toEqual([
      ["opened", id, "token-1"],
      ["detached", id, "token-1"],
      ["resumed", id, "token-2"],
    ]);
    expect(h.lines()[1]).toMatchObject({ graceMs: 120_000 });
    expect(JSON.stringify(h.lines())).not.toContain(resume);
  });

  test("of a successor, which the next operations are of", async () => {
    let tokens = 0;
    const h = await audited({ verify: async () => ({ ...IDENTITY, tokenId: `token-${++tokens}` }) });
    h.session.text('{"type":"token","token":"x"}');
    await settle();
    h.next({ ...rpc, topic: "attr.list", id: 1 });
    h.broker.handler(1).response({});
    expect(h.lines().map(({ event, tokenId }) => [event, tokenId])).toEqual([
      ["opened", "token-1"],
      ["renewed", "token-2"],
      ["operation", "token-2"],
    ]);
  });

  test("has neither the token nor a value of an environment in it", async () => {
    const { session, socket, next, texts } = await audited();
    next({ ...exec({ env: { SECRET: "hunter2" } }), id: 1 });
    session.text(JSON.stringify({ type: "token", token: "bearer-of-rights" }));
    next({ ...rpc, payload: { password: "hunter2" }, id: 5 });
    await settle();
    session.closed(CLOSE.normal);
    expect(socket.closes).toEqual([]);
    expect(texts.join("")).not.toMatch(/hunter2|bearer-of-rights|SECRET/);
  });

  test("is one line for each, and harmless on a terminal", async () => {
    const { session, next, texts, operations } = await audited();
    const nasty = 'a\nb\u001b[31m\u007f\u0085\u009b\u202e\u2028\ufeff\ud800"\\é😀';
    next({ ...exec({ cmdline: [nasty], label: nasty }), id: 1 });
    session.closed(CLOSE.normal);
    for (const text of texts) {
      expect(text.endsWith("\n")).toBe(true);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(text.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\ufeff]/);
    }
    expect(operations()).toMatchObject([{ argv: [nasty], label: nasty }]);
  });

  test("keeps the beginning of a long command line", async () => {
    const { session, next, operations } = await audited();
    next({ ...exec({ cmdline: ["x".repeat(4000), "y".repeat(4000), "z"] }), id: 1 });
    session.closed(CLOSE.normal);
    expect(operations()).toMatchObject([{ argv: ["x".repeat(4000), "y".repeat(95)], argvCut: 3 }]);
  });

  test("keeps the beginning of any other long field of a client", async () => {
    const { session, broker, next, texts, operations } = await audited({ size: 20_000 });
    const long = "x".repeat(100_000);
    next({ ...exec({ label: long, cwd: `/${long}` }), topic: `${long}.rexec.exec`, id: 1 });
    broker.handler(1).error(new FluxError(38));
    next({ ...rpc, topic: `attr.${long}`, id: 2 });
    const ranks = Array.from({ length: 10_000 }, (_, i) => 2 * i).join();
    next({ ...exec({}, 11), id: 100, nodeid: ranks });
    await expect.poll(() => broker.calls.length).toBe(10_001);
    for (let i = 0; i < 10_000; i++) broker.handler(100 + i).response({ type: "started", pid: i + 1 });
    session.closed(CLOSE.normal);
    expect(operations()).toMatchObject([
      {
        ...{ label: "x".repeat(1024), labelCut: 100_000, cwd: `/${"x".repeat(1023)}`, cwdCut: 100_001 },
        ...{ service: "x".repeat(1024), serviceCut: 100_006, errno: 38 },
      },
      { topic: `attr.${"x".repeat(1019)}`, topicCut: 100_005, allowed: false },
      { ranks: ranks.slice(0, 1024), ranksCut: ranks.length, pidsCut: 10_000 },
    ]);
    expect(operations()[2]?.["pids"]).toHaveLength(256);
    for (const text of texts) expect(text.length).toBeLessThan(8192);
  });

  test("of an rpc has its topic, of an exec its directory", async () => {
    const { session, next, operations } = await audited();
    next({ ...rpc, topic: "attr.list", id: 1 });
    next({ ...exec({ cwd: "/tmp" }), id: 2 });
    session.closed(CLOSE.normal);
    expect(operations()).toMatchObject([
      { operation: "rpc", service: "attr", topic: "attr.list" },
      { operation: "exec", cwd: "/tmp" },
    ]);
    expect(operations()[1]).not.toHaveProperty("topic");
  });
});

describe("a file", () => {
  test("is appended to, and for its owner alone", async () => {
    const directory = await mkdtemp(join(tmpdir(), "audit-"));
    const path = join(directory, "audit.log");
    for (const id of ["a", "b"]) {
      const audit = createAudit(path, () => {});
      audit.session(id, undefined).refused("x");
      audit.close();
    }
    const lines = (await readFile(path, "utf8")).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as Line)["session"])).toEqual(["a", "b"]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await rm(directory, { recursive: true });
  });
});
