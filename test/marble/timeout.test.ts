import { NEVER } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ExecOptions, exec, type Outcome, type ProcessEvent, spawn } from "../../src/index.js";
import { end, finished, Recorder, started } from "../support/peer.js";
import { timeline } from "./timeline.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = { stdin: NEVER, killGrace: 1000, timeout: 200 } satisfies ExecOptions;

const outcomes = (events: readonly ProcessEvent[]): Outcome[] =>
  events.flatMap((event) => (event.type === "finished" ? event.outcome : []));

describe("exec: timeout", () => {
  it("counts from the start of the process, ends it with SIGTERM, and its events go on", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder<ProcessEvent>();
    exec(flux, ["a"], run).subscribe(recorder);
    at(5000, started(1));
    at(5300, finished(1, 15), end(1));
    await until(100_000);
    expect(log).toEqual(["0 exec 1", "5200 kill 15 pid 100 rank 0"]);
    expect(outcomes(recorder.values)).toEqual([{ kind: "signaled", signal: 15, timedOut: 200 }]);
    expect(recorder.ends).toEqual(["completed"]);
  });

  it("sends SIGKILL after killGrace", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder<ProcessEvent>();
    exec(flux, ["a"], run).subscribe(recorder);
    at(10, started(1));
    at(1300, finished(1, 9), end(1));
    await until(100_000);
    expect(log.slice(1)).toEqual(["210 kill 15 pid 100 rank 0", "1210 kill 9 pid 100 rank 0"]);
    expect(outcomes(recorder.values)).toEqual([{ kind: "signaled", signal: 9, timedOut: 200 }]);
  });

  it("is in the outcome of a process that exits at SIGTERM", async () => {
    const { flux, at, until } = await timeline();
    const recorder = new Recorder<ProcessEvent>();
    exec(flux, ["a"], run).subscribe(recorder);
    at(10, started(1));
    at(300, finished(1, 0x300), end(1));
    await until(1000);
    expect(outcomes(recorder.values)).toEqual([{ kind: "exited", code: 3, timedOut: 200 }]);
  });

  it("that has not passed sends no signal and leaves no timer", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder<ProcessEvent>();
    exec(flux, ["a"], run).subscribe(recorder);
    at(10, started(1));
    at(20, finished(1, 15));
    await until(5);
    // Beside those of the session, and the two of `at`.
    const idle = vi.getTimerCount() - 2;
    await until(15);
    expect(vi.getTimerCount() - 1).toBe(idle + 1);
    await until(25);
    expect(vi.getTimerCount()).toBe(idle);
    at(5000, end(1));
    await until(100_000);
    expect(log).toEqual(["0 exec 1"]);
    expect(outcomes(recorder.values)).toEqual([{ kind: "signaled", signal: 15 }]);
  });

  it("is not in the outcome of a process that ends by itself while the signal is on its way", async () => {
    const { flux, proxy, at, until } = await timeline();
    const ended = new Recorder<ProcessEvent>();
    exec(flux, ["a"], run).subscribe(ended);
    const requests: string[] = [];
    await until(5);
    proxy.onMessage = (message) => {
      if (message.type !== "request") return;
      requests.push(message.topic);
      // The outcome comes first: the signal has found no process.
      setTimeout(() => {
        proxy.send(finished(1, 0));
        proxy.send({ type: "error", id: message.id, rank: 0, errno: 3, message: "No such process" });
        proxy.send(end(1));
      }, 5);
    };
    at(10, started(1));
    await until(100_000);
    expect(requests).toEqual(["rexec.kill"]);
    expect(outcomes(ended.values)).toEqual([{ kind: "exited", code: 0 }]);
    expect(ended.ends).toEqual(["completed"]);
  });

  it("counts for each rank by itself", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder<ProcessEvent>();
    exec(flux, ["a"], { ...run, nodeid: "0-2" }).subscribe(recorder);
    at(10, started(1, 0), started(1, 1));
    at(100, finished(1, 0, 0), end(1, 0), started(1, 2));
    at(250, finished(1, 15, 1), end(1, 1));
    at(350, finished(1, 15, 2), end(1, 2));
    await until(100_000);
    expect(log.slice(1)).toEqual(["210 kill 15 pid 101 rank 1", "300 kill 15 pid 102 rank 2"]);
    expect(outcomes(recorder.values)).toEqual([
      { kind: "exited", code: 0 },
      { kind: "signaled", signal: 15, timedOut: 200 },
      { kind: "signaled", signal: 15, timedOut: 200 },
    ]);
  });

  it("does not run after the end of the subscription", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], { ...run, killGrace: 10_000 }).subscribe();
    at(10, started(1));
    await until(50);
    subscription.unsubscribe();
    await until(100_000);
    expect(log.slice(1)).toEqual(["50 kill 15 pid 100 rank 0", "10050 kill 9 pid 100 rank 0"]);
  });

  it("waits for a lost connection, and then ends the process", async () => {
    const { flux, proxy, log, at, until } = await timeline();
    exec(flux, ["a"], run).subscribe();
    at(10, started(1));
    await until(20);
    let reachable = false;
    proxy.onHello = () => (reachable ? proxy.resume() : proxy.drop());
    proxy.drop();
    await until(5000);
    expect(log).toEqual(["0 exec 1"]);
    reachable = true;
    const back = flux.reconnect();
    await until(6000);
    await back;
    expect(log[1]).toMatch(/kill 15 pid 100 rank 0$/);
  });

  it("Infinity is no timeout", async () => {
    const { flux, log, at, until } = await timeline();
    exec(flux, ["a"], { ...run, timeout: Number.POSITIVE_INFINITY }).subscribe();
    at(10, started(1));
    await until(10_000_000);
    expect(log).toEqual(["0 exec 1"]);
  });
});

describe("spawn: timeout", () => {
  it("is in the status", async () => {
    const { flux, log, at, until } = await timeline();
    const { status } = spawn(flux, ["a"], { timeout: 200 });
    at(10, started(1));
    at(300, finished(1, 15), end(1));
    await until(1000);
    expect(await status).toEqual({ success: false, code: 143, signal: "SIGTERM", timedOut: 200 });
    expect(log.slice(1)).toEqual(["210 kill 15 pid 100 rank 0"]);
  });
});
