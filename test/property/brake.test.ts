/**
 * The brake against a kernel, a broker and a user in any order: signals and answers take their time, each connection
 * keeps its own order, and a stop that is continued at once may never be reported.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Brake } from "../../proxy/flow/brake.js";
import { SIGNUM } from "../../src/protocol/signals.js";

/** So much waits that it is too much; so little that it is little. */
const [HIGH, LOW] = [1000, 250];
const USR1 = 10;

class World {
  readonly brake = new Brake();
  running = true;
  waiting = 0;
  now = 0;
  /** The number of stops that the client got a report of. */
  reports = 0;
  /** The signals on their way to the process, ours and the user's. */
  readonly ours: number[] = [];
  readonly users: { signum: number; refused: boolean }[] = [];
  /** The broker's answers on their way back, on our connection and on the user's. */
  readonly toUs: ("stopped" | "continued" | "stop taken")[] = [];
  readonly toUser: { signum: number; taken: boolean }[] = [];
  /** True if the user wants it stopped, by the signals that have reached the kernel. */
  stoppedByUser = false;
  /** A stop that the broker has not noticed. */
  #unnoticed = false;

  output(bytes: number): void {
    if (!this.running) return;
    this.waiting += bytes;
    if (this.brake.output(bytes, this.waiting > HIGH)) this.ours.push(SIGNUM.SIGSTOP);
  }

  consume(part: number): void {
    this.waiting = Math.floor(this.waiting * part);
    if (this.waiting <= LOW && this.brake.release()) this.ours.push(SIGNUM.SIGCONT);
  }

  user(signum: number, refused: boolean): void {
    this.brake.signalled(signum);
    this.users.push({ signum, refused });
  }

  /** One of our signals arrives. */
  deliverOurs(): void {
    const signum = this.ours.shift();
    if (signum === undefined) return;
    this.#signal(signum);
    this.toUs.push(signum === SIGNUM.SIGCONT ? "continued" : "stop taken");
  }

  /** One of the user's arrives. */
  deliverUsers(): void {
    const sent = this.users.shift();
    if (sent === undefined) return;
    const { signum, refused } = sent;
    this.toUser.push({ signum, taken: !refused });
    if (refused) return;
    if (signum === SIGNUM.SIGSTOP) this.stoppedByUser = true;
    if (signum === SIGNUM.SIGCONT) this.stoppedByUser = false;
    this.#signal(signum);
  }

  /** The broker looks after the process. */
  notice(): void {
    if (this.#unnoticed) this.toUs.push("stopped");
    this.#unnoticed = false;
  }

  hearOurs(): void {
    const said = this.toUs.shift();
    if (said === "stop taken") this.brake.halted();
    if (said === "continued") this.brake.continued(this.now);
    if (said === "stopped" && this.brake.stopped(this.now)) this.#report();
  }

  hearUsers(): void {
    const answer = this.toUser.shift();
    if (answer === undefined) return;
    const { signal, tell } = this.brake.answered(answer.signum, answer.taken, this.now);
    if (signal !== undefined) this.ours.push(signal === "stop" ? SIGNUM.SIGSTOP : SIGNUM.SIGCONT);
    if (tell) this.#report();
  }

  /** Everything arrives, and time passes. */
  settle(): void {
    this.notice();
    while (this.ours.length + this.users.length + this.toUs.length + this.toUser.length > 0) {
      this.deliverOurs();
      this.deliverUsers();
      this.notice();
      this.hearOurs();
      this.hearUsers();
    }
    this.now += 10_000;
  }

  #report(): void {
    this.reports++;
  }

  #signal(signum: number): void {
    if (signum === SIGNUM.SIGSTOP && this.running) {
      this.running = false;
      this.#unnoticed = true;
    }
    if (signum === SIGNUM.SIGCONT) {
      this.running = true;
      this.#unnoticed = false;
    }
  }
}

type Step = (world: World) => void;
const always = (step: Step) => fc.constant(step);

const kernel = fc.oneof(
  always((world) => world.deliverOurs()),
  always((world) => world.deliverUsers()),
  always((world) => world.notice()),
  always((world) => world.hearOurs()),
  always((world) => world.hearUsers()),
  fc.nat(2000).map(
    (ms): Step =>
      (world) => {
        world.now += ms;
      },
  ),
);
const load = fc.oneof(
  fc.integer({ min: 1, max: 1500 }).map(
    (bytes): Step =>
      (world) =>
        world.output(bytes),
  ),
  fc.constantFrom(0, 0, 0.2, 0.9).map(
    (part): Step =>
      (world) =>
        world.consume(part),
  ),
);
const user = fc.tuple(fc.constantFrom(SIGNUM.SIGSTOP, SIGNUM.SIGCONT, USR1), fc.boolean()).map(
  ([signum, refused]): Step =>
    (world) =>
      world.user(signum, refused),
);

const steps = (...kinds: readonly fc.Arbitrary<Step>[]) => fc.array(fc.oneof(...kinds), { maxLength: 80 });

describe("the brake", () => {
  test("a process with little waiting output runs in the end, unless its user has stopped it", () => {
    fc.assert(
      fc.property(steps(kernel, load, user), (all) => {
        const world = new World();
        for (const step of all) step(world);
        world.settle();
        world.consume(0);
        world.settle();
        expect(world.running).toBe(!world.stoppedByUser);
        // Nor has it lost its hold: it stops again for too much output, and goes on after.
        world.output(2000);
        world.settle();
        expect(world.running).toBe(false);
        world.consume(0);
        world.settle();
        expect(world.running).toBe(!world.stoppedByUser);
      }),
      { numRuns: 10_000 },
    );
  });

  test("a user that stops nothing gets no report of a stop", () => {
    fc.assert(
      fc.property(steps(kernel, load), (all) => {
        const world = new World();
        for (const step of all) step(world);
        world.settle();
        expect(world.reports).toBe(0);
      }),
      { numRuns: 10_000 },
    );
  });

  test("a user gets a report of a stop that was taken, however the process was stopped before", () => {
    fc.assert(
      fc.property(steps(kernel, load), steps(kernel), (before, after) => {
        const world = new World();
        for (const step of before) step(world);
        world.user(SIGNUM.SIGSTOP, false);
        for (const step of after) step(world);
        world.settle();
        expect([world.running, world.reports]).toEqual([false, 1]);
      }),
      { numRuns: 10_000 },
    );
  });

  test("a signal continues the process at once, and more output stops it again", () => {
    const world = new World();
    world.output(2000);
    world.settle();
    expect(world.running).toBe(false);
    world.user(USR1, false);
    world.settle();
    expect(world.running).toBe(true);
    for (let bytes = 0; bytes < 128 * 1024; bytes += 1000) world.output(1000);
    world.settle();
    expect(world.running).toBe(false);
  });

  test("a process that does not stop is stopped again after the answer", () => {
    const brake = new Brake();
    const stops = () =>
      Array.from({ length: 10 * 1024 }, () => brake.output(1024, true)).filter(Boolean).length;
    expect([stops(), brake.unheeded]).toEqual([1, false]);
    brake.halted();
    expect([stops(), brake.unheeded]).toEqual([1, true]);
    brake.release();
    expect(brake.unheeded).toBe(false);
  });

  test("is let go by the answer to its last SIGCONT, and not by one before it", () => {
    const brake = new Brake();
    for (let n = 0; n < 2; n++) expect([brake.output(2000, true), brake.release()]).toEqual([true, true]);
    brake.continued(0);
    expect(brake.stopped(1500)).toBe(false);
    brake.continued(1500);
    expect(brake.stopped(2500)).toBe(true);
  });

  test("output before the answer to the last SIGSTOP does not count as a failure to stop", () => {
    const brake = new Brake();
    brake.output(2000, true);
    brake.release();
    brake.output(2000, true);
    brake.halted();
    for (let n = 0; n < 10 * 1024; n++) expect(brake.output(1024, true)).toBe(false);
    expect(brake.unheeded).toBe(false);
  });

  test("a stop by another user is reported, and left alone", () => {
    const brake = new Brake();
    expect(brake.stopped(0)).toBe(true);
    expect(brake.output(2000, true)).toBe(true);
    expect(brake.release()).toBe(false);
  });
});
