import { expect, test } from "vitest";
import { Scheduler } from "../../../../proxy/flow/scheduler.js";

const turn = () => new Promise(setImmediate);

/** A job of some turns, each of which takes `ms` milliseconds. */
class Work {
  done = 0;
  constructor(
    readonly turns: number,
    readonly ms: number,
    readonly log: string[],
    readonly name: string,
  ) {}
  turn(): boolean {
    const end = performance.now() + this.ms;
    while (performance.now() < end);
    this.log.push(this.name);
    return ++this.done < this.turns;
  }
}

test("a short job is done before add returns", () => {
  const log: string[] = [];
  new Scheduler().add(new Work(3, 0, log, "a"));
  expect(log).toEqual(["a", "a", "a"]);
});

test("long jobs take turns, and the event loop has its own in between", async () => {
  const log: string[] = [];
  const scheduler = new Scheduler();
  scheduler.add(new Work(3, 10, log, "a"));
  scheduler.add(new Work(2, 10, log, "b"));
  expect(log).toEqual(["a"]);
  let timers = 0;
  const timer = setInterval(() => timers++, 1);
  for (let i = 0; i < 20 && log.length < 5; i++) await turn();
  clearInterval(timer);
  expect(log.slice(1, 4)).toContain("b");
  expect([...log].sort()).toEqual(["a", "a", "a", "b", "b"]);
  expect(timers).toBeGreaterThan(0);
});
