import { describe, expect, test } from "vitest";
import { Usage } from "../../../proxy/usage.js";

const at = ["rexec", 0] as const;
const background = { background: true };

describe("Usage", () => {
  test("counts each subject's, from before the start to the end", () => {
    const usage = new Usage();
    const one = usage.add("a", ...at, { background: false });
    usage.add("a", "rexec", 1, background);
    usage.add("b", ...at, background);
    expect([usage.count("a"), usage.count("b"), usage.count("c")]).toEqual([2, 1, 0]);
    one.started(1);
    one.over();
    one.over();
    expect(usage.count("a")).toBe(1);
  });

  test("a background process counts until a list that was asked for later does not show it", () => {
    const usage = new Usage();
    const early = usage.tick();
    usage.add("a", ...at, background).started(7);
    usage.add("a", ...at, background);
    usage.listed(...at, [], early);
    expect(usage.count("a")).toBe(2);
    usage.listed(...at, [{ pid: 7, label: "" }], usage.tick());
    expect(usage.count("a")).toBe(2);
    usage.listed("rexec", 1, [], usage.tick());
    expect(usage.count("a")).toBe(2);
    usage.listed(...at, [], usage.tick());
    // A process that may still run stays.
    expect(usage.count("a")).toBe(1);
  });

  test.each([
    [{ pid: 7 }, 1],
    [{ label: "x" }, 1],
    [{ pid: 8 }, 2],
    [{ label: "y", pid: 7 }, 2],
    [{}, 2],
  ])("one that is said to be gone: %j", (who, left) => {
    const usage = new Usage();
    usage.add("a", ...at, { ...background, label: "x" }).started(7);
    usage.add("a", ...at, { background: false, label: "z" }).started(9);
    usage.gone(...at, who, usage.tick());
    usage.gone("sdexec", 0, { pid: 7 }, usage.tick());
    expect(usage.count("a")).toBe(left);
  });

  test("neither a list nor a word of it ends one in the foreground", () => {
    const usage = new Usage();
    const process = usage.add("a", ...at, { background: false, label: "x" });
    process.started(7);
    usage.gone(...at, { pid: 7 }, usage.tick());
    usage.gone(...at, { label: "x" }, usage.tick());
    usage.listed(...at, [], usage.tick());
    expect(usage.count("a")).toBe(1);
    process.over();
    expect(usage.count("a")).toBe(0);
  });

  test("an answer to a request from before it ran does not count", () => {
    const usage = new Usage();
    const early = usage.tick();
    usage.add("a", ...at, { ...background, label: "x" }).started(7);
    usage.gone(...at, { label: "x" }, early);
    expect(usage.count("a")).toBe(1);
  });

  test("a start in flight is not over because a list does not show it, nor because one shows it", () => {
    const usage = new Usage();
    const starting = usage.add("a", ...at, background);
    usage.listed(...at, [], usage.tick());
    usage.listed(...at, [{ pid: 7, label: "" }], usage.tick());
    usage.gone(...at, { pid: 7 }, usage.tick());
    expect(usage.count("a")).toBe(1);
    starting.started(8);
    usage.listed(...at, [{ pid: 8, label: "" }], usage.tick());
    expect(usage.count("a")).toBe(1);
  });
});

describe("a start whose answer is lost", () => {
  const listed = (usage: Usage, ...processes: [pid: number, label?: string][]) =>
    usage.listed(
      ...at,
      processes.map(([pid, label = ""]) => ({ pid, label })),
      usage.tick(),
    );

  test("never came to be, if a list has nothing that it can be", () => {
    const usage = new Usage();
    usage.add("a", ...at, background).started(7);
    usage.add("a", ...at, background).unanswered();
    usage.add("b", ...at, { ...background, label: "x" }).unanswered();
    listed(usage, [7], [8, "y"]);
    expect([usage.count("a"), usage.count("b")]).toEqual([1, 0]);
  });

  test("counts while a process is there that it can be: one that nobody else has started, and of its label", () => {
    const usage = new Usage();
    usage.add("a", ...at, { ...background, label: "x" }).unanswered();
    usage.add("b", ...at, background).unanswered();
    listed(usage, [1, "x"], [2]);
    listed(usage, [1, "x"], [2]);
    expect([usage.count("a"), usage.count("b")]).toEqual([1, 1]);
    // A process that came later is not it.
    listed(usage, [3, "x"], [4]);
    expect([usage.count("a"), usage.count("b")]).toEqual([0, 0]);
  });

  test("is no process of another program: rank 0 always has one that has no label", () => {
    const usage = new Usage();
    const shown = (...commands: unknown[]) =>
      usage.listed(
        ...at,
        commands.map((cmd, i) => ({ pid: i + 1, label: "", cmd })),
        usage.tick(),
      );
    const start = (program: string) =>
      usage.add("a", ...at, { ...background, argv: [program, "x"] }).unanswered();
    start("sleep");
    shown("flux module-python-exec", "/bin/sleeper");
    expect(usage.count("a")).toBe(0);
    for (const [program, cmd] of [
      ["sleep", "sleep"],
      ["/bin/sleep", "sleep"],
      ["sleep", "/usr/bin/sleep"],
      ["flux", "flux module-python-exec"],
      ["a b/c", "a b/c"],
      ["", ""],
      ["x", undefined],
    ] as const) {
      start(program);
      shown(cmd);
      expect(usage.count("a"), program).toBe(1);
      shown();
      expect(usage.count("a")).toBe(0);
    }
  });

  test("of a subject and label, no more count than there can be", () => {
    const usage = new Usage();
    for (let i = 0; i < 10; i++) usage.add("a", ...at, background).unanswered();
    listed(usage, [1], [2], [3, "x"]);
    expect(usage.count("a")).toBe(2);
    usage.gone(...at, { pid: 1 }, usage.tick());
    expect(usage.count("a")).toBe(1);
    usage.add("b", ...at, background).started(2);
    expect([usage.count("a"), usage.count("b")]).toEqual([0, 1]);
  });

  test("of two subjects: both count, since the owner of the process is unknown", () => {
    const usage = new Usage();
    usage.add("a", ...at, background).unanswered();
    usage.add("b", ...at, background).unanswered();
    listed(usage, [1]);
    expect([usage.count("a"), usage.count("b")]).toEqual([1, 1]);
    listed(usage);
    expect([usage.count("a"), usage.count("b")]).toEqual([0, 0]);
  });

  test("an answer to an earlier request does not count", () => {
    const usage = new Usage();
    const early = usage.tick();
    usage.add("a", ...at, { ...background, label: "x" }).unanswered();
    usage.listed(...at, [], early);
    usage.gone(...at, { label: "x" }, early);
    expect(usage.count("a")).toBe(1);
    listed(usage, [7, "x"]);
    usage.listed(...at, [], early);
    usage.gone(...at, { pid: 7 }, early);
    expect(usage.count("a")).toBe(1);
  });
});

describe("the most that is counted", () => {
  test("there is an end to the counting", () => {
    const usage = new Usage();
    for (let i = 0; i < 70_000; i++) usage.add("a", ...at, background);
    expect(usage.count("a")).toBe(65_536);
  });
});
