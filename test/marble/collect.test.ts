import { describe, it } from "vitest";
import { collect, FluxError, orThrow, type ProcessEvent } from "../../src/index.js";
import { bytes } from "../support/peer.js";
import { EVENTS, marbles } from "./support.js";

const nothing = bytes("");
const done = {
  rank: 0,
  pid: 7,
  outcome: { kind: "exited", code: 0 },
  stdout: bytes("aa"),
  stderr: bytes("b"),
};
const other = { rank: 1, pid: 8, outcome: { kind: "exited", code: 3 }, stdout: bytes("A"), stderr: nothing };

describe("collect", () => {
  it("emits each rank, in ascending order, when all are complete", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("SsAabcFteaf--|", EVENTS);
      expectObservable(events.pipe(collect())).toBe("-------------(xy|)", { x: done, y: other });
      expectSubscriptions(events.subscriptions).toBe("^------------!");
    });
  });

  it("emits the output before an error, with the error as the cause of unknown outcomes", () => {
    const error = new FluxError("ECONNRESET", "lost");
    marbles(({ cold, expectObservable }) => {
      const lost = {
        ...done,
        outcome: { kind: "unknown", cause: error },
        stdout: bytes("a"),
        stderr: nothing,
      };
      const events = cold<ProcessEvent>("SsaAF#", EVENTS, error);
      expectObservable(events.pipe(collect())).toBe("-----(xy#)", { x: lost, y: other }, error);
    });
  });

  it("emits the rest when output is missing, and errors", () => {
    const gap = { type: "gap", rank: 0, stream: "stdout", bytes: 9 } as const;
    const error = new FluxError("ENOBUFS", "9 bytes of stdout were not taken in time and are missing", {
      rank: 0,
      subject: "output",
    });
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const partial = {
        ...done,
        outcome: { kind: "unknown", cause: error },
        stdout: bytes("a"),
        stderr: nothing,
      };
      const events = cold<ProcessEvent>("sagaf|", { ...EVENTS, g: gap });
      expectObservable(events.pipe(collect())).toBe("--(x#)", { x: partial }, error);
      expectSubscriptions(events.subscriptions).toBe("^-!");
    });
  });

  it("wraps any other error in a FluxError", () => {
    const error = new Error("mine");
    const cause = new FluxError("ECANCELED", "the stream ended before the process did", { cause: error });
    marbles(({ cold, expectObservable }) => {
      const x = { rank: 0, pid: 7, outcome: { kind: "unknown", cause }, stdout: nothing, stderr: nothing };
      expectObservable(cold<ProcessEvent>("s#", EVENTS, error).pipe(collect())).toBe("-(x#)", { x }, error);
    });
  });

  it("emits a failed rank with its error, also if all have failed", () => {
    const [first, second] = [
      new FluxError("ENOENT", "no file"),
      new FluxError("EHOSTUNREACH", "no such rank"),
    ];
    const all = {
      ...EVENTS,
      x: { type: "error", rank: 9, error: second } as const,
      y: { type: "error", rank: 1, error: first } as const,
    };
    const [y, x] = [
      { rank: 1, error: first },
      { rank: 9, error: second },
    ];
    marbles(({ cold, expectObservable }) => {
      const some = cold<ProcessEvent>("sxaaybf|", all);
      expectObservable(some.pipe(collect())).toBe("-------(dyx|)", { d: done, y, x });
      expectObservable(cold<ProcessEvent>("xy#", all, second).pipe(collect())).toBe("--(yx|)", { y, x });
    });
  });

  it("keeps the output and the pid of a rank that is lost after its start", () => {
    const cause = new FluxError("ECONNRESET", "lost");
    const all = {
      ...EVENTS,
      x: { type: "error", rank: 0, error: cause } as const,
      y: { type: "finished", rank: 0, outcome: { kind: "unknown", cause } } as const,
    };
    const lost = { ...done, outcome: { kind: "unknown", cause }, stdout: bytes("a"), stderr: nothing };
    marbles(({ cold, expectObservable }) => {
      const events = cold<ProcessEvent>("sSaxyAF|", all);
      expectObservable(events.pipe(collect())).toBe("-------(xy|)", { x: lost, y: other });
    });
  });

  it("gives text if asked to", () => {
    marbles(({ cold, expectObservable }) => {
      const events = cold<ProcessEvent>("saabf|", EVENTS);
      expectObservable(events.pipe(collect({ text: true }))).toBe("-----(d|)", {
        d: { ...done, stdout: "aa", stderr: "b" },
      });
    });
  });

  it("emits nothing after an unsubscription, and starts anew for the next subscriber", () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold<ProcessEvent>("saf|", EVENTS);
      const collected = events.pipe(collect());
      const x = { ...done, stdout: bytes("a"), stderr: nothing };
      expectObservable(collected, "^-!").toBe("--");
      expectObservable(collected, "-----^").toBe("--------(x|)", { x });
      expectSubscriptions(events.subscriptions).toBe(["^-!", "-----^--!"]);
    });
  });
});

describe("collect and orThrow", () => {
  it("emit the values, then error with their output", () => {
    marbles(({ cold, expectObservable }) => {
      const events = cold<ProcessEvent>("SsafAF|", EVENTS).pipe(collect(), orThrow());
      const x = { ...done, stdout: bytes("a"), stderr: nothing };
      const error = Object.assign(new Error("rank 1: process exited with 3"), {
        name: "ProcessError",
        failures: [other],
      });
      expectObservable(events).toBe("------(xy#)", { x, y: other }, error);
    });
  });
});
