import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { type SignalName, signalName, signalNumber } from "../../../../src/index.js";
import { SIGNUM } from "../../../../src/protocol/signals.js";

describe("signals", () => {
  it.runIf(process.platform === "linux")("are Linux's", () => {
    // Names that Linux has twice.
    const others = ["SIGIOT", "SIGPOLL", "SIGUNUSED"];
    const linux = Object.entries(constants.signals).filter(([name]) => !others.includes(name));
    for (const [name, number] of linux) {
      expect([signalName(number), signalNumber(name as SignalName)]).toEqual([name, number]);
    }
    expect(linux.length).toBe(31);
  });

  it("have the same numbers in SIGNUM", () => {
    const names = Object.keys(SIGNUM).filter((key) => Number.isNaN(Number(key))) as (keyof typeof SIGNUM)[];
    expect(names).toContain("SIGKILL");
    for (const name of names) expect([name, SIGNUM[name]]).toEqual([name, signalNumber(name)]);
  });

  it("beyond 31 have numbers, up to 64", () => {
    expect([signalName(34), signalNumber(34), signalNumber(64)]).toEqual(["SIG34", 34, 64]);
  });

  it.each([0, -1, 65, 1.5, Number.NaN, "SIGFOO", "TERM", "", undefined, null])(
    "%j is not a signal",
    (signal) => {
      expect(() => signalNumber(signal as SignalName)).toThrow(TypeError);
    },
  );
});
