import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Answer, Poller, type PollObserver } from "../../../../proxy/watch/poller.js";
import type { RankSnapshot } from "../../../../proxy/watch/rank-snapshot.js";
import { FluxError } from "../../../../src/errors.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const row = (pid: number) => ({ pid, cmd: "sh", label: "", state: "R" });

/** A rank that answers at once, unless the test holds it back. */
class World {
  readonly begun = performance.now();
  /** The times of its polls, in milliseconds. */
  polledAt: number[] = [];
  pids: number[] = [];
  error: FluxError | undefined;
  answers = true;
  open: Answer | undefined;
  most = 0;
  idle = 0;
  listed = 0;
  #clock = 0;
  readonly poller = new Poller({
    request: (answer) => {
      this.most = Math.max(this.most, this.open === undefined ? 1 : 2);
      this.open = answer;
      this.polledAt.push(Math.round(performance.now() - this.begun));
      if (this.answers) queueMicrotask(() => this.answer());
    },
    tick: () => ++this.#clock,
    listed: () => this.listed++,
    idle: () => this.idle++,
  });

  answer(): void {
    const { open } = this;
    this.open = undefined;
    if (this.error) open?.error(this.error);
    else open?.response({ rank: 0, procs: this.pids.map(row) });
  }

  watch(interval = 1000, every = false) {
    const snapshots: RankSnapshot[] = [];
    const observer: PollObserver = { interval, every, snapshot: (what) => void snapshots.push(what) };
    return { snapshots, end: this.poller.add(observer) };
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const pids = (snapshots: RankSnapshot | undefined) =>
  snapshots && "rows" in snapshots ? [...snapshots.rows.keys()] : snapshots;

describe("Poller", () => {
  test("asks at once, and then less often the longer nothing changes, down to the interval", async () => {
    const world = new World();
    const { snapshots } = world.watch();
    await pass(5000);
    expect(world.polledAt).toEqual([0, 200, 600, 1400, 2400, 3400, 4400]);
    expect(snapshots.map(pids)).toEqual([[]]);
    expect(world.listed).toBe(7);
  });

  test("asks more often after a change", async () => {
    const world = new World();
    const { snapshots } = world.watch();
    await pass(2000);
    world.pids = [7];
    world.polledAt = [];
    await pass(2000);
    expect(world.polledAt).toEqual([2400, 2600, 3000, 3800]);
    expect(snapshots.map(pids)).toEqual([[], [7]]);
  });

  test("asks at once where something was touched, and soon again, however often it was", async () => {
    const world = new World();
    world.watch();
    await pass(2000);
    world.polledAt = [];
    for (let i = 0; i < 100; i++) world.poller.touch();
    await pass(600);
    expect(world.polledAt).toEqual([2000, 2050, 2150, 2350]);
    world.polledAt = [];
    for (let ms = 0; ms < 1000; ms++) {
      world.poller.touch();
      await pass(1);
    }
    expect(world.polledAt.length).toBeLessThanOrEqual(21);
    expect(world.most).toBe(1);
  });

  test("never polls twice at a time: a touch meanwhile causes another poll", async () => {
    const world = new World();
    world.answers = false;
    const { snapshots } = world.watch();
    await pass(10);
    world.poller.touch();
    world.watch();
    await pass(1500);
    expect(world.polledAt).toEqual([0]);
    world.answers = true;
    world.answer();
    await pass(0);
    expect(world.polledAt).toEqual([0, 1510]);
    expect([snapshots.length, world.most]).toEqual([1, 1]);
  });

  test("tells who comes later what it knows, without asking", async () => {
    const world = new World();
    world.pids = [7];
    world.watch();
    await pass(1500);
    world.polledAt = [];
    const others = Array.from({ length: 100 }, () => world.watch());
    expect(others.map(({ snapshots }) => pids(snapshots[0]))).toEqual(others.map(() => [7]));
    await pass(2000);
    expect(world.polledAt).toEqual([2400, 3400]);
    expect(others.map(({ snapshots }) => snapshots.length)).toEqual(others.map(() => 1));
  });

  test("asks for who wants to know it sooner than the others", async () => {
    const world = new World();
    world.watch(60_000);
    await pass(300_000);
    world.polledAt = [];
    const { snapshots, end } = world.watch(500);
    expect(snapshots).toEqual([]);
    await pass(2000);
    expect(snapshots).toHaveLength(1);
    expect(world.polledAt.slice(1).map((time, i) => time - (world.polledAt[i] ?? 0))).toEqual([
      500, 500, 500, 500,
    ]);
    end();
    await pass(1000);
    world.polledAt = [];
    await pass(59_000);
    expect(world.polledAt).toEqual([]);
  });

  test("tells each answer to who wants every one, and changes to the others", async () => {
    const world = new World();
    const all = world.watch(1000, true);
    const some = world.watch();
    await pass(1400);
    expect([all.snapshots.length, some.snapshots.length]).toEqual([4, 1]);
  });

  test("tells an error, and asks on, but slowly", async () => {
    const world = new World();
    world.error = new FluxError(113);
    const { snapshots } = world.watch();
    await pass(10_000);
    expect(world.polledAt).toEqual([0, 5000, 10_000]);
    expect(snapshots[0]).toEqual({ errno: 113, message: "No route to host" });
    const { snapshots: later } = world.watch();
    expect(later).toEqual([{ errno: 113, message: "No route to host" }]);
    world.error = undefined;
    world.pids = [7];
    await pass(5000);
    expect([pids(snapshots.at(-1)), pids(later.at(-1))]).toEqual([[7], [7]]);
    await pass(200);
    expect(world.polledAt.slice(3)).toEqual([15_000, 15_200]);
  });

  test("reports EPROTO for an answer that is no list", async () => {
    const world = new World();
    world.answers = false;
    const { snapshots } = world.watch();
    world.open?.response({ procs: 1 });
    expect(snapshots).toMatchObject([{ errno: 71 }]);
    expect(world.listed).toBe(0);
  });

  test("sends a second request beside one that is not answered, and no third; says ETIMEDOUT; takes both answers", async () => {
    const world = new World();
    world.answers = false;
    const { snapshots } = world.watch();
    const first = world.open;
    await pass(60_000);
    world.poller.touch();
    await pass(60_000);
    expect(world.polledAt).toEqual([0, 2000]);
    expect(snapshots).toEqual([{ errno: 110, message: "the rank has not answered for 10 s" }]);
    world.answers = true;
    const second = world.open;
    first?.response({ rank: 0, procs: [row(7)] });
    expect(pids(snapshots[1])).toEqual([7]);
    second?.response({ rank: 0, procs: [row(7), row(8)] });
    expect(pids(snapshots[2])).toEqual([7, 8]);
    expect(world.polledAt).toHaveLength(3);
  });

  test("says within 2 s that a rank is lost whose first answer was lost with it, and sees it come back", async () => {
    const world = new World();
    world.pids = [7];
    const { snapshots } = world.watch();
    await pass(0);
    world.answers = false;
    await pass(1000);
    // The request that is open now is never answered. Those after it are.
    const lost = world.open;
    world.answers = true;
    world.error = new FluxError("EHOSTUNREACH");
    await pass(2000);
    expect(snapshots.map(pids)).toEqual([[7], { errno: 113, message: "No route to host" }]);
    await pass(20_000);
    world.error = undefined;
    world.pids = [9];
    await pass(5000);
    expect(pids(snapshots.at(-1))).toEqual([9]);
    // An answer that is older than one that has come says nothing.
    const before = snapshots.length;
    lost?.response({ rank: 0, procs: [row(7)] });
    expect(snapshots).toHaveLength(before);
  });

  test("asks nothing more, and has no timer, when nobody watches", async () => {
    const world = new World();
    const [one, two] = [world.watch(), world.watch()];
    await pass(300);
    one.end();
    one.end();
    expect(world.idle).toBe(0);
    two.end();
    expect([world.idle, vi.getTimerCount()]).toEqual([1, 0]);
    await pass(60_000);
    expect(world.polledAt).toEqual([0, 200]);
  });

  test("is not idle before its last answer has come", async () => {
    const world = new World();
    world.answers = false;
    world.watch().end();
    expect(world.idle).toBe(0);
    world.answer();
    expect([world.idle, vi.getTimerCount()]).toEqual([1, 0]);
  });

  test("does not wait for it for ever", async () => {
    const world = new World();
    world.answers = false;
    world.watch().end();
    await pass(10_000);
    expect([world.idle, vi.getTimerCount()]).toEqual([1, 0]);
  });
});
