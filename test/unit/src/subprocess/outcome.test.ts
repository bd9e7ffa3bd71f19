import { describe, expect, it } from "vitest";
import { describeOutcome, FluxError, outcomeOf, succeeded } from "../../../../src/index.js";

describe("outcomeOf", () => {
  it.each([
    [0, { kind: "exited", code: 0 }],
    [256, { kind: "exited", code: 1 }],
    [0xff00, { kind: "exited", code: 255 }],
    [9, { kind: "signaled", signal: 9 }],
    [0x80 | 11, { kind: "signaled", signal: 11 }],
    [64, { kind: "signaled", signal: 64 }],
  ])("%d", (status, outcome) => {
    expect(outcomeOf(status)).toEqual(outcome);
  });

  it.each([0x137f, 0xffff, 0x7f, -1, 0x10000, 2 ** 32, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "says nothing of %d: no status of a process that has ended",
    (status) => {
      const error = new TypeError(`not the wait status of a process that has ended: ${status}`);
      expect(() => outcomeOf(status)).toThrow(error);
    },
  );
});

describe("outcomes", () => {
  const unknown = { kind: "unknown", cause: new FluxError("ECONNRESET", "lost") } as const;

  it("succeed with code 0 alone", () => {
    expect(succeeded({ kind: "exited", code: 0 })).toBe(true);
    expect(succeeded({ kind: "exited", code: 1 })).toBe(false);
    expect(succeeded({ kind: "signaled", signal: 15 })).toBe(false);
    expect(succeeded(unknown)).toBe(false);
    expect(succeeded({ kind: "exited", code: 0, timedOut: 200 })).toBe(false);
  });

  it("can be said in words", () => {
    expect(describeOutcome({ kind: "exited", code: 7 })).toBe("exited with 7");
    expect(describeOutcome({ kind: "signaled", signal: 9 })).toBe("was ended by SIGKILL");
    expect(describeOutcome({ kind: "signaled", signal: 40 })).toBe("was ended by SIG40");
    expect(describeOutcome({ kind: "signaled", signal: 15, timedOut: 200 })).toBe(
      "was ended after its timeout of 200 ms (SIGTERM)",
    );
    expect(describeOutcome({ kind: "exited", code: 0, timedOut: 200 })).toBe(
      "exited with 0, after SIGTERM at its timeout of 200 ms",
    );
    expect(describeOutcome(unknown)).toBe("ended in a way that is not known: lost");
  });
});
