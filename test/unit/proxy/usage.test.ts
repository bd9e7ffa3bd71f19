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
    const early = usage.now();
    usage.add("a", ...at, background).started(7);
    usage.add("a", ...at, background);
    usage.listed(...at, [], early);
    expect(usage.count("a")).toBe(2);
    usage.listed(...at, [{ pid: 7, label: "" }], usage.now());
    expect(usage.count("a")).toBe(2);
    usage.listed("rexec", 1, [], usage.now());
    expect(usage.count("a")).toBe(2);
    usage.listed(...at, [], usage.now());
    // That of which nobody knows yet whether it runs stays.
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
    usage.gone(...at, who, usage.now());
    usage.gone("sdexec", 0, { pid: 7 }, usage.now());
    expect(usage.count("a")).toBe(left);
  });

  test("neither a list nor a word of it ends one in the foreground", () => {
    const usage = new Usage();
    const process = usage.add("a", ...at, { background: false, label: "x" });
    process.started(7);
    usage.gone(...at, { pid: 7 }, usage.now());
    usage.gone(...at, { label: "x" }, usage.now());
    usage.listed(...at, [], usage.now());
    expect(usage.count("a")).toBe(1);
    process.over();
    expect(usage.count("a")).toBe(0);
  });

  test("an answer to what was asked before it ran says nothing of it", () => {
    const usage = new Usage();
    const early = usage.now();
    usage.add("a", ...at, { ...background, label: "x" }).started(7);
    usage.gone(...at, { label: "x" }, early);
    expect(usage.count("a")).toBe(1);
  });

  test("one whose start nobody has heard of counts until a list does not show its label", () => {
    const usage = new Usage();
    usage.add("a", ...at, { ...background, label: "x" }).unknown();
    usage.add("a", ...at, background).unknown();
    usage.listed(...at, [{ pid: 1, label: "x" }], usage.now());
    expect(usage.count("a")).toBe(1);
    usage.listed(...at, [{ pid: 1, label: "" }], usage.now());
    expect(usage.count("a")).toBe(0);
  });

  test("there is an end to the counting", () => {
    const usage = new Usage();
    for (let i = 0; i < 70_000; i++) usage.add("a", ...at, background);
    expect(usage.count("a")).toBe(65_536);
  });
});
