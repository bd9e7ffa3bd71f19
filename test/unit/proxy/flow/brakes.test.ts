import { beforeEach, describe, expect, test } from "vitest";
import { Brakes } from "../../../../proxy/flow/brakes.js";

describe("Brakes", () => {
  let brakes: Brakes;
  let seen: unknown[];
  let remove: () => void;
  beforeEach(() => {
    brakes = new Brakes();
    seen = [];
    remove = brakes.add("rexec", 1, { pid: 7, label: "mine" }, holder("a"));
  });
  const holder = (name: string) => ({
    signalled: (signum: number) => seen.push([name, signum]),
    answered: (signum: number, taken: boolean) => seen.push([name, signum, taken]),
  });

  test.each([
    ["its pid", { pid: 7 }],
    ["its label, which counts and not the pid", { pid: 8, label: "mine" }],
  ])("who may stop a process sees a signal by %s, and its answer once", (_, process) => {
    const answered = brakes.signal("rexec", 1, process, 15);
    expect(seen).toEqual([["a", 15]]);
    answered?.(true);
    answered?.(false);
    expect(seen).toEqual([
      ["a", 15],
      ["a", 15, true],
    ]);
  });

  test.each([
    ["another pid", "rexec", 1, { pid: 8 }],
    ["another label", "rexec", 1, { pid: 7, label: "other" }],
    ["a label that looks like a pid", "rexec", 1, { label: "7" }],
    ["another rank", "rexec", 2, { pid: 7 }],
    ["another service", "sdexec", 1, { pid: 7 }],
    ["no name", "rexec", 1, {}],
  ])("and none to %s", (_, service, rank, process) => {
    expect(brakes.signal(service, rank, process, 15)).toBeUndefined();
    expect(seen).toEqual([]);
  });

  test("who does not follow it any more sees nothing, who came after still does", () => {
    remove();
    expect(brakes.signal("rexec", 1, { label: "mine" }, 15)).toBeUndefined();
    const first = brakes.add("rexec", 1, { pid: 9 }, holder("b"));
    brakes.add("rexec", 1, { pid: 9 }, holder("c"));
    first();
    brakes.signal("rexec", 1, { pid: 9 }, 2);
    expect(seen).toEqual([["c", 2]]);
  });
});
