import { stat } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Liveness, type LivenessObserver, type ProbeAnswer } from "../../../../proxy/liveness/liveness.js";
import { FluxError } from "../../../../src/errors.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Ranks that answer at once, but for those in `hung`. */
class World {
  readonly begun = performance.now();
  /** "time: rank" of each question, in seconds. */
  asked: string[] = [];
  readonly hung = new Set<number>();
  readonly gone = new Set<number>();
  /** Questions that are not answered, by rank. */
  readonly open = new Map<number, ProbeAnswer[]>();
  readonly liveness = new Liveness({
    intervalMs: 5000,
    probe: (rank, answer) => {
      this.asked.push(`${Math.floor((performance.now() - this.begun) / 1000)}: ${rank}`);
      if (this.gone.has(rank)) answer.error(new FluxError("EHOSTUNREACH"));
      else if (this.hung.has(rank)) this.open.set(rank, [...(this.open.get(rank) ?? []), answer]);
      else answer.response();
    },
  });

  /** A rank goes on, and answers all that it was asked. */
  resume(rank: number): void {
    this.hung.delete(rank);
    for (const answer of this.open.get(rank) ?? []) answer.response();
    this.open.delete(rank);
  }

  follow(...ranks: number[]) {
    const events: string[] = [];
    const waits = new Set(ranks);
    const follower: LivenessObserver = {
      ranks: waits,
      silent: (rank) => events.push(`silent ${rank}`),
      answers: (rank) => events.push(`answers ${rank}`),
      unreachable: (rank, { code }) => events.push(`${code} ${rank}`),
    };
    return { events, waits, end: this.liveness.add(follower) };
  }
}

describe("Liveness", () => {
  test("asks each rank once a round, for any number of waiters, and reports nothing of a rank that answers", async () => {
    const world = new World();
    const followers = [world.follow(1, 2), world.follow(2, 3), world.follow(2)];
    await pass(11_000);
    expect(world.asked).toEqual(["5: 1", "5: 2", "5: 3", "10: 1", "10: 2", "10: 3"]);
    expect(followers.map(({ events }) => events)).toEqual([[], [], []]);
  });

  test("asks nothing, and has no timer, while nothing waits", async () => {
    const world = new World();
    const { end } = world.follow(1);
    await pass(4000);
    end();
    expect(vi.getTimerCount()).toBe(0);
    await pass(60_000);
    expect(world.asked).toEqual([]);
  });

  test("reports a rank that hangs, and its return, to all waiters, also to later ones; asks twice at most", async () => {
    const world = new World();
    world.hung.add(2);
    const first = world.follow(1, 2);
    const other = world.follow(1);
    await pass(9000);
    expect(first.events).toEqual([]);
    await pass(2000);
    expect(first.events).toEqual(["silent 2"]);
    const late = world.follow(2);
    expect(late.events).toEqual(["silent 2"]);
    await pass(600_000);
    expect(world.open.get(2)).toHaveLength(2);
    world.resume(2);
    expect([first.events, late.events, other.events]).toEqual([
      ["silent 2", "answers 2"],
      ["silent 2", "answers 2"],
      [],
    ]);
    world.hung.add(2);
    await pass(11_000);
    expect(first.events.at(-1)).toBe("silent 2");
  });

  test("finds out that a rank is lost although the first question was lost with it", async () => {
    const world = new World();
    const { events } = world.follow(1);
    world.hung.add(1);
    await pass(6000);
    world.gone.add(1);
    await pass(5000);
    expect(events).toEqual(["silent 1", "EHOSTUNREACH 1"]);
  });

  test("ignores a probe that was left open while nothing waited for the rank", async () => {
    const world = new World();
    world.hung.add(1);
    const before = world.follow(1);
    await pass(6000);
    before.end();
    await pass(60_000);
    world.hung.delete(1);
    const { events } = world.follow(1);
    await pass(60_000);
    expect(events).toEqual([]);
  });

  test("takes a connection that fails for no answer, and asks on", async () => {
    const world = new World();
    const { events } = world.follow(1);
    world.hung.add(1);
    for (let i = 0; i < 4; i++) {
      await pass(5000);
      for (const answer of world.open.get(1) ?? []) answer.error(new FluxError("ECONNRESET"));
      world.open.clear();
    }
    expect(events).toEqual(["silent 1"]);
    world.resume(1);
    await pass(6000);
    expect(events).toEqual(["silent 1", "answers 1"]);
  });

  test("blames no rank for a time in which the proxy itself stood still", async () => {
    vi.useRealTimers();
    const silent: number[] = [];
    // The answer comes while the proxy stands still, and is there as soon as the event loop polls.
    const liveness = new Liveness({
      intervalMs: 50,
      probe: (_, answer) => stat("/", () => answer.response()),
    });
    const nothing = () => {};
    const ranks = new Set([1]);
    const end = liveness.add({
      ranks,
      silent: (rank) => silent.push(rank),
      answers: nothing,
      unreachable: nothing,
    });
    for (let i = 0; i < 5; i++) {
      const until = performance.now() + 120;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    end();
    expect(silent).toEqual([]);
  });

  test("comes to each of 5,000 ranks, a few at a time", async () => {
    const world = new World();
    const ranks = Array.from({ length: 5000 }, (_, rank) => rank);
    for (let i = 0; i < 3; i++) world.follow(...ranks);
    await pass(5050);
    expect(world.asked.length).toBeGreaterThan(0);
    expect(world.asked.length).toBeLessThanOrEqual(96);
    await pass(4500);
    expect(world.asked).toHaveLength(5000);
    expect(new Set(world.asked.map((line) => line.split(" ")[1])).size).toBe(5000);
  });
});
