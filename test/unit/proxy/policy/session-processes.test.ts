import { describe, expect, test } from "vitest";
import { SessionProcesses } from "../../../../proxy/policy/session-processes.js";

const at = ["rexec", 0] as const;
const listed = (pid: number, label = "") => ({ pid, label, cmd: "x", state: "R" });

describe("SessionProcesses", () => {
  test("knows the processes that the session has started, until they are gone", () => {
    const known = new SessionProcesses();
    known.started(...at, 7, { label: "a", foreground: true });
    known.started(...at, 8, { label: undefined, foreground: false });
    expect([known.isForeground(...at, 7), known.labelOf(...at, 7)]).toEqual([true, "a"]);
    expect([known.isForeground(...at, 8), known.labelOf(...at, 8)]).toEqual([false, undefined]);
    for (const [service, rank] of [
      ["sdexec", 0],
      ["rexec", 1],
    ] as const) {
      expect([known.isForeground(service, rank, 7), known.labelOf(service, rank, 7)]).toEqual([
        false,
        undefined,
      ]);
    }
    known.gone(...at, 7);
    known.gone(...at, 7);
    expect([known.isForeground(...at, 7), known.labelOf(...at, 7)]).toEqual([false, undefined]);
  });

  test("shows those of the permitted labels, and the session's own", () => {
    const known = new SessionProcesses();
    known.started(...at, 1, { label: "own", foreground: false });
    known.started(...at, 2, { label: undefined, foreground: true });
    const all = [listed(1, "own"), listed(2), listed(3, "ok-1"), listed(4, "no"), listed(5)];
    expect(known.listed(...at, all, ["ok-*"]).map(({ pid }) => pid)).toEqual([1, 2, 3]);
    expect([3, 4, 5].map((pid) => known.labelOf(...at, pid))).toEqual(["ok-1", undefined, undefined]);
  });

  test("* is no permission for those without a label", () => {
    expect(new SessionProcesses().listed(...at, [listed(1), listed(2, "a")], ["*"])).toEqual([
      listed(2, "a"),
    ]);
  });

  test("shows all where there is no limit", () => {
    const known = new SessionProcesses();
    expect(known.listed(...at, [listed(1), listed(2, "a")], undefined)).toHaveLength(2);
    expect(known.labelOf(...at, 2)).toBe("a");
  });

  test("forgets a pid that is no longer listed, or is another process's", () => {
    const known = new SessionProcesses();
    known.started(...at, 1, { label: "a", foreground: false });
    known.listed(...at, [listed(1, "a"), listed(2, "b"), listed(3, "c")], ["b", "c"]);
    expect(known.listed(...at, [listed(1, "z"), listed(2, "z"), listed(3, "c")], ["b", "c"])).toEqual([
      listed(3, "c"),
    ]);
    expect([1, 2, 3].map((pid) => known.labelOf(...at, pid))).toEqual([undefined, undefined, "c"]);
  });

  test("a list that was asked for before a process was started does not have to show it", () => {
    const known = new SessionProcesses();
    known.started(...at, 1, { label: "a", foreground: false, since: 10 });
    known.listed(...at, [], [], 9);
    expect(known.labelOf(...at, 1)).toBe("a");
    known.listed(...at, [], [], 11);
    expect(known.labelOf(...at, 1)).toBeUndefined();
  });

  test("a foreground process is the session's until its exec ends, for any list", () => {
    const known = new SessionProcesses();
    known.started(...at, 1, { label: "a", foreground: true });
    known.listed(...at, [], undefined);
    expect(known.isForeground(...at, 1)).toBe(true);
  });

  test("does not grow for ever", () => {
    const known = new SessionProcesses();
    for (let pid = 1; pid <= 70_000; pid++) known.started(...at, pid, { label: "a", foreground: false });
    expect(known.labelOf(...at, 65_536)).toBe("a");
    expect(known.labelOf(...at, 65_537)).toBeUndefined();
    known.listed(...at, [listed(1, "a")], undefined);
    known.started(...at, 70_000, { label: "a", foreground: false });
    expect(known.labelOf(...at, 70_000)).toBe("a");
  });
});
