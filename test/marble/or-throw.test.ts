import { describe, expect, it } from "vitest";
import { FluxError, type Outcome, orThrow, ProcessError, type ProcessEvent } from "../../src/index.js";
import { EVENTS, marbles } from "./support.js";

const failure = (rank: number, outcome: Outcome) => new ProcessError([{ rank, outcome }]);

describe("orThrow", () => {
  it("forwards the events of a success", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("saf-e|", EVENTS);
      expectObservable(events.pipe(orThrow())).toBe("saf-e|", EVENTS);
      expectSubscriptions(events.subscriptions).toBe("^----!");
    });
  });

  it("errors after all events, not before", () => {
    marbles(({ cold, expectObservable }) => {
      const events = cold<ProcessEvent>("sk-a|", EVENTS);
      const error = failure(0, { kind: "signaled", signal: 9 });
      expectObservable(events.pipe(orThrow())).toBe("sk-a#", EVENTS, error);
    });
  });

  it("reports each failed rank once", () => {
    const cause = new FluxError("ECONNRESET", "lost", { rank: 0 });
    const lost = {
      x: { type: "error", rank: 0, error: cause },
      y: { type: "finished", rank: 0, outcome: { kind: "unknown", cause } },
    } as const;
    marbles(({ cold, expectObservable }) => {
      const error = new ProcessError([
        { rank: 0, outcome: { kind: "unknown", cause } },
        { rank: 1, outcome: { kind: "exited", code: 3 } },
      ]);
      const values = { ...EVENTS, ...lost };
      const events = cold<ProcessEvent>("sSxyF|", values);
      expectObservable(events.pipe(orThrow())).toBe("sSxyF#", values, error);
    });
  });

  it("reports a rank that never started", () => {
    const cause = new FluxError("EHOSTUNREACH", "no such rank", { rank: 9 });
    marbles(({ cold, expectObservable }) => {
      const values = { ...EVENTS, x: { type: "error", rank: 9, error: cause } } as const;
      const events = cold<ProcessEvent>("sxf|", values);
      expectObservable(events.pipe(orThrow())).toBe("sxf#", values, failure(9, { kind: "unknown", cause }));
    });
  });

  it("names each failed rank and its outcome", () => {
    const error = new ProcessError([
      { rank: 0, outcome: { kind: "exited", code: 3 } },
      { rank: 2, outcome: { kind: "signaled", signal: 9 } },
    ]);
    expect(error.message).toBe("rank 0: process exited with 3; rank 2: process was ended by SIGKILL");
    expect(error.name).toBe("ProcessError");
  });

  it("names each end once, with its ranks, and a failed rank without its number", () => {
    const cause = new FluxError("EHOSTUNREACH", "no such rank", { rank: 9, subject: "exec a" });
    const error = new ProcessError([
      { rank: 3, outcome: { kind: "exited", code: 3 } },
      { rank: 9, outcome: { kind: "unknown", cause } },
      { rank: 0, outcome: { kind: "exited", code: 3 } },
      { rank: 1, outcome: { kind: "exited", code: 3 } },
    ]);
    expect(error.message).toBe("ranks 0-1,3: process exited with 3; rank 9: no such rank (EHOSTUNREACH)");
    expect(error.failures.map(({ rank }) => rank)).toEqual([0, 1, 3, 9]);
  });

  it("prefers the error of the source", () => {
    const error = new FluxError("ECONNRESET");
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold<ProcessEvent>("sk#", EVENTS, error).pipe(orThrow())).toBe("sk#", EVENTS, error);
    });
  });

  it("stops when the subscriber has enough", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("sk-a|", EVENTS);
      expectObservable(events.pipe(orThrow()), "^-!").toBe("sk", EVENTS);
      expectSubscriptions(events.subscriptions).toBe("^-!");
    });
  });
});
