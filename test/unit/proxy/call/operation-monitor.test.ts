import { describe, expect, test } from "vitest";
import type { OperationEnd } from "../../../../proxy/call/operation-audit.js";
import { OperationMonitor } from "../../../../proxy/call/operation-monitor.js";
import type { ParsedRequest } from "../../../../proxy/policy/parsed-request.js";
import { SessionProcesses } from "../../../../proxy/policy/session-processes.js";
import { Usage } from "../../../../proxy/usage.js";
import { IDENTITY } from "../support/memory.js";

function setUp(
  parsed: Partial<ParsedRequest>,
  options: { labels?: string[]; answererCertain?: boolean } = {},
) {
  const ends: OperationEnd[] = [];
  const touched: number[] = [];
  const [processes, usage] = [new SessionProcesses(), new Usage()];
  const operation = parsed.operation ?? "list";
  const monitor = new OperationMonitor({
    identity: IDENTITY,
    parsed: {
      operation,
      service: "sdexec",
      topic: `sdexec.${operation}`,
      ranks: [0],
      missing: [],
      background: false,
      flags: 0,
      ...parsed,
    },
    labels: options.labels,
    answererCertain: options.answererCertain ?? true,
    processes,
    usage,
    touched: (rank) => touched.push(rank),
    record: (end) => ends.push(end),
  });
  return { monitor, processes, usage, ends, touched };
}

const procs = [
  { pid: 1, label: "ok" },
  { pid: 2, label: "secret" },
];

describe("A list", () => {
  test("that labels limit shows only their processes", () => {
    const { monitor } = setUp({}, { labels: ["ok"] });
    expect(monitor.response(0, { rank: 0, procs })).toEqual({ rank: 0, procs: [{ pid: 1, label: "ok" }] });
  });

  test("that labels limit is not sent if another rank may answer: its pids would not be those of the session", () => {
    expect(() => setUp({}, { labels: ["ok"], answererCertain: false })).toThrow(
      "labels limit a list that another rank may answer",
    );
  });

  test("that no labels limit is passed on, and is no evidence if another rank may have answered", () => {
    const { monitor, processes } = setUp({}, { answererCertain: false });
    expect(monitor.response(0, { rank: 0, procs })).toEqual({ rank: 0, procs });
    expect(processes.labelOf("sdexec", 0, 1)).toBeUndefined();
    const certain = setUp({});
    certain.monitor.response(0, { rank: 0, procs });
    expect(certain.processes.labelOf("sdexec", 0, 1)).toBe("ok");
  });
});

describe("An answer", () => {
  const started = { type: "started", pid: 7 };

  test.each([
    ["exec", started, [0], [7]],
    ["exec", { type: "finished", status: 0 }, [0], undefined],
    ["exec", { type: "stopped" }, [], undefined],
    ["exec", { type: "attached", pid: 7 }, [], undefined],
    ["exec", { type: "started", pid: "7" }, [], undefined],
    ["exec", { type: "constructor" }, [], undefined],
    ["attach", { type: "attached", pid: 7 }, [], [7]],
    ["attach", { type: "finished", status: 0 }, [0], undefined],
    ["kill", {}, [0], undefined],
    ["kill", { type: "finished" }, [0], undefined],
    ["wait", { status: 0 }, [0], undefined],
    ["rpc", { type: "finished", pid: 7 }, [], undefined],
    ["rpc", started, [], undefined],
  ] as const)("to %s of %j touches ranks %j, and follows %j", (operation, payload, touches, pids) => {
    const { monitor, touched, ends } = setUp({ operation });
    expect(monitor.response(0, payload)).toEqual(payload);
    expect(touched).toEqual(touches);
    monitor.over();
    monitor.over();
    expect(ends).toEqual([{ errno: 0, durationMs: expect.any(Number), bytesIn: 0, bytesOut: 0, pids }]);
  });
});
