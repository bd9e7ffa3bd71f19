import { filter } from "rxjs";
import { describe, expect, it } from "vitest";
import { FluxError, lines, type ProcessEvent, RankError, stderr, stdout, stream } from "../../src/index.js";
import { bytes } from "../support/peer.js";
import { EVENTS, marbles } from "./support.js";

const values = { a: bytes("a"), b: bytes("b"), c: bytes("c"), A: bytes("A") };

describe("stdout, stderr, stream", () => {
  it.each([
    [stdout(), "--a---------|"],
    [stderr(), "---b--------|"],
    [stream("C"), "----c-------|"],
    [stream("other"), "------------|"],
  ])("are the bytes of one stream of one rank", (operator, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("sSabc---etfF|", EVENTS);
      expectObservable(events.pipe(operator)).toBe(expected, values);
      expectSubscriptions(events.subscriptions).toBe("^-----------!");
    });
  });

  it("error as soon as a second rank writes, and name what takes several", () => {
    const error = new TypeError(
      "ranks 0 and 1 both write to stdout, and their bytes would mix: use lines() or text() on the events, " +
        "which give { rank, stream, line } or { rank, stream, text }, or byRank()",
    );
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("sSaba-A-etfF|", EVENTS);
      expectObservable(events.pipe(stdout())).toBe("--a-a-#", values, error);
      expectObservable(events.pipe(stderr())).toBe("---b--------|", values);
      expectSubscriptions(events.subscriptions).toBe(["^-----!", "^-----------!"]);
    });
  });

  it("error with the failed ranks at the end, unless asked not to", () => {
    const failed = (rank: number) =>
      new FluxError("EHOSTUNREACH", "no such rank", { rank, subject: "exec a" });
    const [x, y] = [failed(9), failed(4)];
    const all = {
      ...EVENTS,
      x: { type: "error", rank: 9, error: x } as const,
      y: { type: "error", rank: 4, error: y } as const,
    };
    const error = new RankError([x, y]);
    expect(error.message).toBe("exec a on ranks 4,9: no such rank (EHOSTUNREACH)");
    marbles(({ cold, expectObservable }) => {
      const events = cold<ProcessEvent>("sxyaf|", all);
      expectObservable(events.pipe(stdout())).toBe("---a-#", values, error);
      expectObservable(events.pipe(stdout({ rankError: false }))).toBe("---a-|", values);
      expectObservable(events.pipe(stdout(), lines())).toBe("-----(l#)", { l: "a" }, error);
      expectObservable(events.pipe(lines())).toBe(
        "-----(l#)",
        { l: { rank: 0, stream: "stdout", line: "a" } },
        error,
      );
      const none = cold<ProcessEvent>("xy#", all, x);
      expectObservable(none.pipe(stdout())).toBe("--#", values, error);
    });
  });

  it("forward an error, and an unsubscription", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const failing = cold<ProcessEvent>("sa#", EVENTS);
      expectObservable(failing.pipe(stdout())).toBe("-a#", values);
      const events = cold<ProcessEvent>("saaaa|", EVENTS);
      expectObservable(events.pipe(stdout()), "^--!").toBe("-aa", values);
      expectSubscriptions(events.subscriptions).toBe("^--!");
    });
  });

  it("error at a gap, unless the caller has filtered it out", () => {
    const gap = { type: "gap", rank: 0, stream: "stdout", bytes: 9 } as const;
    const error = new FluxError("ENOBUFS", "9 bytes of stdout were not taken in time and are missing", {
      rank: 0,
      subject: "output",
    });
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("sagab|", { ...EVENTS, g: gap });
      expectObservable(events.pipe(stdout())).toBe("-a#", values, error);
      expectSubscriptions(events.subscriptions).toBe("^-!");
    });
    marbles(({ cold, expectObservable }) => {
      const events = cold<ProcessEvent>("sagab|", { ...EVENTS, g: gap });
      expectObservable(events.pipe(stderr())).toBe("----b|", values);
      const others = events.pipe(filter(({ type }) => type !== "gap"));
      expectObservable(others.pipe(stdout())).toBe("-a-a-|", values);
    });
  });
});
