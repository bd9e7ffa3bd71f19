import { NEVER } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ExecOptions, exec } from "../../src/index.js";
import { end, failed, finished, Recorder, started } from "../support/peer.js";
import { timeline } from "./timeline.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const run = { stdin: NEVER, killGrace: 1000 } satisfies ExecOptions;

describe("exec: subscription", () => {
  it("is cold: each subscription is a process of its own", async () => {
    const { flux, log, until } = await timeline();
    const process = exec(flux, ["a"], run);
    await until(10);
    expect(log).toEqual([]);
    process.subscribe();
    await until(20);
    process.subscribe();
    await until(30);
    expect(log).toEqual(["10 exec 1", "20 exec 2"]);
  });

  it("that ends before the request is sent sends nothing", async () => {
    const { flux, log, until } = await timeline();
    exec(flux, ["a"], { killGrace: 0 }).subscribe().unsubscribe();
    await until(10_000);
    expect(log).toEqual([]);
  });

  it("that ends sends SIGTERM", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    const subscription = exec(flux, ["a"], run).subscribe(recorder);
    at(10, started(1));
    await until(50);
    subscription.unsubscribe();
    at(60, finished(1, 15), end(1));
    await until(10_000);
    expect(log).toEqual(["0 exec 1", "50 kill 15 pid 100 rank 0"]);
    expect([recorder.values.length, recorder.ends]).toEqual([1, []]);
  });

  it("that ends sends SIGKILL if the process still runs after its killGrace", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], run).subscribe();
    at(10, started(1));
    await until(50);
    subscription.unsubscribe();
    await until(1049);
    expect(log).toEqual(["0 exec 1", "50 kill 15 pid 100 rank 0"]);
    await until(1050);
    expect(log.slice(2)).toEqual(["1050 kill 9 pid 100 rank 0"]);
    await until(100_000);
    expect(log).toHaveLength(3);
  });

  it("has a killGrace of 5 s by default", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], { stdin: NEVER }).subscribe();
    at(10, started(1));
    await until(50);
    subscription.unsubscribe();
    await until(100_000);
    expect(log.slice(1)).toEqual(["50 kill 15 pid 100 rank 0", "5050 kill 9 pid 100 rank 0"]);
  });

  it("that ends before the start ends the process when it starts", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], run).subscribe();
    await until(10);
    subscription.unsubscribe();
    at(100, started(1));
    at(200, finished(1, 15), end(1));
    await until(10_000);
    expect(log).toEqual(["0 exec 1", "100 kill 15 pid 100 rank 0"]);
  });

  it("that ends long before the start still sends both signals", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], run).subscribe();
    await until(10);
    subscription.unsubscribe();
    at(5000, started(1));
    await until(100_000);
    expect(log).toEqual(["0 exec 1", "5000 kill 15 pid 100 rank 0", "6000 kill 9 pid 100 rank 0"]);
  });

  it("that ends before a failed start sends no signal", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], run).subscribe();
    await until(10);
    subscription.unsubscribe();
    at(20, failed(1, 2));
    await until(100_000);
    expect(log).toEqual(["0 exec 1"]);
  });

  it("that completes sends no signal", async () => {
    const { flux, log, at, until } = await timeline();
    const recorder = new Recorder();
    exec(flux, ["a"], run).subscribe(recorder);
    at(10, started(1), finished(1), end(1));
    await until(100_000);
    expect(recorder.ends).toEqual(["completed"]);
    expect(log).toEqual(["0 exec 1"]);
  });

  it("that ends with a session that is closed leaves no timer behind", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], run).subscribe({ error: () => {} });
    at(10, started(1));
    await until(50);
    subscription.unsubscribe();
    flux.close();
    await until(51);
    expect(vi.getTimerCount()).toBe(0);
    expect(log).toEqual(["0 exec 1"]);
  });
});

describe("exec: subscription, on several ranks", () => {
  it("that ends sends a signal to each rank that runs, and to no other", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], { ...run, nodeid: "0-3" }).subscribe();
    at(10, started(1, 0), started(1, 1), started(1, 2), finished(1, 0, 2), end(1, 2), failed(1, 113, 3));
    await until(50);
    subscription.unsubscribe();
    at(60, finished(1, 15, 0), end(1, 0));
    await until(100_000);
    expect(log).toEqual([
      "0 exec 1",
      "50 kill 15 pid 100 rank 0",
      "50 kill 15 pid 101 rank 1",
      "1050 kill 9 pid 101 rank 1",
    ]);
  });

  it("that ends gives each process its killGrace from its own start", async () => {
    const { flux, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], { ...run, nodeid: "0-1" }).subscribe();
    at(10, started(1, 0));
    await until(50);
    subscription.unsubscribe();
    at(600, started(1, 1));
    await until(100_000);
    expect(log.slice(1)).toEqual([
      "50 kill 15 pid 100 rank 0",
      "600 kill 15 pid 101 rank 1",
      "1050 kill 9 pid 100 rank 0",
      "1600 kill 9 pid 101 rank 1",
    ]);
  });

  it("that ends while the connection is lost still gives the process its killGrace", async () => {
    const { flux, proxy, log, at, until } = await timeline();
    const subscription = exec(flux, ["a"], run).subscribe();
    at(10, started(1));
    await until(20);
    let reachable = false;
    proxy.onHello = () => (reachable ? proxy.resume() : proxy.drop());
    proxy.drop();
    await until(50);
    subscription.unsubscribe();
    await until(5000);
    expect(log).toEqual(["0 exec 1"]);
    reachable = true;
    const back = flux.reconnect().then(() => Date.now());
    await until(100_000);
    const [term, kill] = log.slice(1).map((line) => Number(line.split(" ")[0]));
    expect(log.slice(1).map((line) => line.replace(/^\d+ /, ""))).toEqual([
      "kill 15 pid 100 rank 0",
      "kill 9 pid 100 rank 0",
    ]);
    expect(await back).toBeGreaterThan(0);
    expect((kill as number) - (term as number)).toBe(run.killGrace);
  });
});
