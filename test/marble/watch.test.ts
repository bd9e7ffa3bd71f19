/** watch in virtual time: the messages to the proxy, and their times. */
import { ReplaySubject, share, take } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ProcessTable, watch } from "../../src/index.js";
import { failed, type Outgoing, Recorder } from "../support/peer.js";
import { timeline } from "./timeline.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const table = (id: number, pid?: number): Outgoing => ({
  type: "response",
  id,
  rank: 0,
  payload: { rank: 0, procs: pid ? [{ pid, cmd: "a", label: "", state: "R" }] : [], gone: [] },
});

const one = { nodeid: 0 } as const;

describe("watch: subscription", () => {
  it("is cold: each subscription is a watch of its own", async () => {
    const { flux, log, until } = await timeline();
    const table$ = watch(flux, one);
    await until(10);
    expect(log).toEqual([]);
    const first = table$.subscribe();
    await until(20);
    table$.subscribe();
    await until(30);
    first.unsubscribe();
    await until(40);
    expect(log).toEqual(["10 list 1", "20 list 2", "30 detach 1"]);
  });

  it("takes one id a rank", async () => {
    const { flux, log, until } = await timeline();
    watch(flux, { nodeid: "0-3" }).subscribe();
    watch(flux).subscribe();
    watch(flux).subscribe();
    await until(1);
    expect(log).toEqual(["0 list 1", "0 list 5", "0 list 9"]);
  });

  it("ends when an operator has enough", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder<ProcessTable>();
    watch(flux, one).pipe(take(2)).subscribe(recorder);
    at(10, table(1));
    at(20, table(1, 7));
    at(30, table(1, 8));
    await until(40);
    expect(recorder.values.map(({ processes }) => processes.length)).toEqual([0, 1]);
    expect([recorder.ends, log]).toEqual([["completed"], ["0 list 1", "20 detach 1"]]);
  });

  it("that completes sends no detach", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder<ProcessTable>();
    watch(flux, one).subscribe(recorder);
    at(10, failed(1, 1));
    await until(20);
    expect([recorder.ends, log]).toEqual([["completed"], ["0 list 1"]]);
  });

  it("is one watch for all that share it, also late subscribers, and ends with the last", async () => {
    const { flux, log, at, until } = await timeline();
    const table$ = watch(flux, one).pipe(share({ connector: () => new ReplaySubject(1) }));
    const recorders = [new Recorder<ProcessTable>(), new Recorder<ProcessTable>()] as const;
    const first = table$.subscribe(recorders[0]);
    at(10, table(1, 7));
    await until(20);
    const second = table$.subscribe(recorders[1]);
    expect(recorders[1].values[0]).toBe(recorders[0].values[0]);
    first.unsubscribe();
    await until(30);
    expect(log).toEqual(["0 list 1"]);
    second.unsubscribe();
    await until(40);
    expect(log).toEqual(["0 list 1", "30 detach 1"]);
  });

  it("leaves nothing behind if it ends before its session is open", async () => {
    const { flux, log, until } = await timeline();
    watch(flux, one).subscribe().unsubscribe();
    flux.close();
    await until(10_000);
    expect([log, vi.getTimerCount()]).toEqual([[], 0]);
  });
});

describe("watch: tables", () => {
  it("follow the proxy's messages, each change once", async () => {
    const { flux, at, until } = await timeline();
    const began = Date.now();
    const log: string[] = [];
    watch(flux, one).subscribe(({ processes }) =>
      log.push(`${Date.now() - began} ${processes.map(({ pid }) => pid)}`),
    );
    at(10, table(1));
    at(20, table(1, 7));
    at(30, table(1, 7));
    at(40, table(1, 8));
    await until(100);
    expect(log).toEqual(["10 ", "20 7", "40 7,8"]);
  });
});
