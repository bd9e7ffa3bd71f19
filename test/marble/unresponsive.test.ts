/** Ranks that do not answer, as the observer of an exec or attach sees them, in virtual time. */
import { NEVER } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { attach, collect, exec, orThrow, type ProcessEvent } from "../../src/index.js";
import { end, failed, finished, Recorder, started } from "../support/peer.js";
import { marbles } from "./support.js";
import { timeline } from "./timeline.js";

describe("unresponsive and responsive", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("are events of their rank, in their order, and end nothing", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder<ProcessEvent>();
    exec(flux, ["a"], { nodeid: "0-1", stdin: NEVER }).subscribe(recorder);
    at(10, started(1, 0), started(1, 1));
    at(20, { type: "unresponsive", id: 1, rank: 1 });
    await until(1_000_000);
    expect([recorder.values.at(-1), recorder.ends]).toEqual([{ type: "unresponsive", rank: 1 }, []]);
    at(
      1_000_010,
      { type: "responsive", id: 1, rank: 1 },
      finished(1, 0, 1),
      end(1, 1),
      finished(1, 0, 0),
      end(1, 0),
    );
    await until(1_000_020);
    expect(recorder.values.slice(2).map(({ type, rank }) => `${type} ${rank}`)).toEqual([
      "unresponsive 1",
      "responsive 1",
      "finished 1",
      "finished 0",
    ]);
    expect([recorder.ends, log]).toEqual([["completed"], ["0 exec 1"]]);
  });

  it("come before the start too, and before a deadline that is missed", async () => {
    const { flux, proxy, at, until } = await timeline();
    const recorder = new Recorder<ProcessEvent>();
    attach(flux, { label: "x", nodeid: 2, timeout: 12_000 }).subscribe(recorder);
    at(10_000, { type: "unresponsive", id: 1, rank: 2 });
    at(12_000, failed(1, 110, 2, "rank 2 has not answered rexec.attach for 12 s"));
    await until(12_000);
    expect(proxy.requests).toMatchObject([{ topic: "rexec.attach", timeout: 12_000 }]);
    expect(recorder.values).toEqual([{ type: "unresponsive", rank: 2 }]);
    expect(recorder.ends).toMatchObject([
      {
        code: "ETIMEDOUT",
        rank: 2,
        topic: "rexec.attach",
        reason: "rank 2 has not answered rexec.attach for 12 s",
      },
    ]);
  });

  it("pass the operators as other events do, and are nothing to collect", () => {
    marbles(({ cold, expectObservable }) => {
      const events = {
        s: { type: "started", rank: 0, pid: 7, matchtag: 1 },
        u: { type: "unresponsive", rank: 0 },
        r: { type: "responsive", rank: 0 },
        f: { type: "finished", rank: 0, outcome: { kind: "exited", code: 0 } },
      } as const satisfies Record<string, ProcessEvent>;
      expectObservable(cold<ProcessEvent>("s-u--r-f|", events).pipe(orThrow())).toBe("s-u--r-f|", events);
      const empty = new Uint8Array();
      expectObservable(cold<ProcessEvent>("s-u--r-f|", events).pipe(collect())).toBe("--------(p|)", {
        p: { rank: 0, pid: 7, outcome: events.f.outcome, stdout: empty, stderr: empty },
      });
    });
  });
});
