import { filter } from "rxjs";
import { describe, it } from "vitest";
import { FluxError, type ProcessEvent, stderr, stdout, stream } from "../../src/index.js";
import { bytes } from "../support/peer.js";
import { EVENTS, marbles } from "./support.js";

const values = { a: bytes("a"), b: bytes("b"), c: bytes("c"), A: bytes("A") };

describe("stdout, stderr, stream", () => {
  it.each([
    [stdout(), "--a---A-----|"],
    [stderr(), "---b--------|"],
    [stream("C"), "----c-------|"],
    [stream("other"), "------------|"],
  ])("are the bytes of one stream, of all ranks as they come", (operator, expected) => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("sSabc-A-etfF|", EVENTS);
      expectObservable(events.pipe(operator)).toBe(expected, values);
      expectSubscriptions(events.subscriptions).toBe("^-----------!");
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
