import {
  catchError,
  concatMap,
  concatWith,
  map,
  merge,
  NEVER,
  of,
  retry,
  switchMap,
  take,
  takeUntil,
  timeout,
  timer,
} from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ExecOptions, exec, type Flux, orThrow } from "../../src/index.js";
import { end, failed, finished, output, Recorder, started } from "../support/peer.js";
import { timeline } from "./timeline.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = { stdin: NEVER, killGrace: 1000 } satisfies ExecOptions;
const types = (flux: Flux) => exec(flux, ["a"], run).pipe(map(({ type }) => type));

describe("exec with", () => {
  it("takeUntil: the process ends at the notifier", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    types(flux)
      .pipe(takeUntil(timer(100)))
      .subscribe(recorder);
    at(10, started(1));
    at(150, finished(1, 15), end(1));
    await until(10_000);
    expect([recorder.values, recorder.ends]).toEqual([["started"], ["completed"]]);
    expect(log).toEqual(["0 exec 1", "100 kill 15 pid 100 rank 0"]);
  });

  it("take: the process ends at the last event taken, from within that event", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    types(flux).pipe(take(1)).subscribe(recorder);
    at(10, started(1));
    await until(100);
    expect([recorder.values, recorder.ends]).toEqual([["started"], ["completed"]]);
    expect(log).toEqual(["0 exec 1", "10 kill 15 pid 100 rank 0"]);
  });

  it("timeout: a late process is ended", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    const late = catchError((error: Error) => of(error.name));
    types(flux)
      .pipe(timeout({ each: 100 }), late)
      .subscribe(recorder);
    at(50, started(1));
    at(120, output(1, "x"));
    await until(300);
    expect(recorder.values).toEqual(["started", "output", "TimeoutError"]);
    expect(log).toEqual(["0 exec 1", "220 kill 15 pid 100 rank 0"]);
  });

  it("switchMap: the next ends the one before", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    timer(0, 100)
      .pipe(
        take(3),
        switchMap(() => types(flux)),
      )
      .subscribe(recorder);
    at(10, started(1, 0, 71));
    // The third replaces the second before its start.
    at(110, finished(1, 15), end(1));
    at(250, started(3, 0, 72));
    at(260, finished(3, 15), end(3));
    at(270, started(4, 0, 73), finished(4), end(4));
    await until(10_000);
    expect(log).toEqual([
      "0 exec 1",
      "100 kill 15 pid 71 rank 0",
      "100 exec 3",
      "200 exec 4",
      "250 kill 15 pid 72 rank 0",
    ]);
    expect([recorder.values, recorder.ends]).toEqual([["started", "started", "finished"], ["completed"]]);
  });

  it("concatWith: one after the other", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    types(flux)
      .pipe(concatWith(types(flux)))
      .subscribe(recorder);
    at(10, started(1), finished(1), end(1));
    at(20, started(2), finished(2), end(2));
    await until(100);
    expect([recorder.values.length, recorder.ends]).toEqual([4, ["completed"]]);
    expect(log).toEqual(["0 exec 1", "10 exec 2"]);
  });

  it("retry: a failed process is run again, and gets no signal", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    exec(flux, ["a"], run)
      .pipe(
        orThrow(),
        retry({ count: 2, delay: 50 }),
        concatMap(({ type }) => [type]),
      )
      .subscribe(recorder);
    at(10, failed(1, 11));
    at(100, started(2), finished(2, 256), end(2));
    at(200, started(3), finished(3), end(3));
    await until(10_000);
    expect(log).toEqual(["0 exec 1", "60 exec 2", "150 exec 3"]);
    expect(recorder.values).toEqual(["started", "finished", "started", "finished"]);
    expect(recorder.ends).toEqual(["completed"]);
  });

  it("merge: in parallel, and all end together", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = merge(types(flux), types(flux)).subscribe();
    at(10, started(1, 0, 71), started(2, 0, 72));
    await until(50);
    subscription.unsubscribe();
    await until(60);
    expect(log).toEqual(["0 exec 1", "0 exec 2", "50 kill 15 pid 71 rank 0", "50 kill 15 pid 72 rank 0"]);
  });
});
