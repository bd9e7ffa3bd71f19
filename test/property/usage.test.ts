/**
 * The count of a subject's background processes, against ranks that run: no order of starts, lost answers, ends and late lists
 * makes it less than there are, and when all are gone a list makes it none.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type CountedProcess, Usage } from "../../proxy/usage.js";

const SUBJECTS = ["a", "b"];
const LABELS = ["", "x"];

interface Running {
  pid: number;
  label: string;
  sub: string | undefined;
}

type Step =
  | { do: "start"; sub: number; label: number; runs: boolean; answer: "at once" | "late" | "lost" }
  | { do: "answer" | "end" | "wait" | "miss"; which: number }
  | { do: "foreign"; label: number }
  | { do: "ask" | "list" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("start" as const),
    sub: fc.nat(1),
    label: fc.nat(1),
    runs: fc.boolean(),
    answer: fc.constantFrom("at once" as const, "late" as const, "lost" as const),
  }),
  fc.record({
    do: fc.constantFrom("answer" as const, "end" as const, "wait" as const, "miss" as const),
    which: fc.nat(20),
  }),
  fc.record({ do: fc.constant("foreign" as const), label: fc.nat(1) }),
  fc.record({ do: fc.constantFrom("ask" as const, "list" as const) }),
);

/** A rank, and the messages that the proxy gets from it. */
class World {
  readonly usage = new Usage();
  readonly running: Running[] = [];
  readonly #unsaid: { counted: CountedProcess; pid: number | undefined }[] = [];
  /** Lists that were answered by the rank, on their way. */
  readonly #lists: { asked: number; shown: Running[] }[] = [];
  #pid = 0;

  run(step: Step): void {
    switch (step.do) {
      case "start":
        this.#start(step);
        return;
      case "answer":
        this.#answer(this.#unsaid.splice(step.which % (this.#unsaid.length || 1), 1)[0]);
        return;
      case "end":
        this.running.splice(step.which % (this.running.length || 1), 1);
        return;
      case "wait": {
        const [gone] = this.running.splice(step.which % (this.running.length || 1), 1);
        if (gone === undefined) return;
        const named = gone.label === "" ? { pid: gone.pid } : { label: gone.label };
        this.usage.gone("rexec", 0, named, this.usage.tick());
        return;
      }
      case "miss": {
        const label = LABELS[1] as string;
        if (this.#isFree(label)) this.usage.gone("rexec", 0, { label }, this.usage.tick());
        return;
      }
      case "foreign": {
        const label = LABELS[step.label] as string;
        if (this.#isFree(label)) this.running.push({ pid: ++this.#pid, label, sub: undefined });
        return;
      }
      case "ask":
        this.#lists.push({ asked: this.usage.tick(), shown: [...this.running] });
        return;
      case "list": {
        const list = this.#lists.shift();
        if (list) this.usage.listed("rexec", 0, list.shown, list.asked);
      }
    }
  }

  list(): void {
    this.usage.listed("rexec", 0, this.running, this.usage.tick());
  }

  /** Nothing is on its way any more. */
  settle(): void {
    for (const start of this.#unsaid.splice(0)) this.#answer(start);
  }

  #start({ sub, label, runs, answer }: Step & { do: "start" }): void {
    const process = { sub: SUBJECTS[sub] as string, label: LABELS[label] as string };
    const options = { background: true, ...(process.label === "" ? {} : { label: process.label }) };
    const counted = this.usage.add(process.sub, "rexec", 0, options);
    const pid = runs && this.#isFree(process.label) ? ++this.#pid : undefined;
    if (pid !== undefined) this.running.push({ pid, ...process });
    if (answer === "at once") this.#answer({ counted, pid });
    else if (answer === "lost") counted.unanswered();
    else this.#unsaid.push({ counted, pid });
  }

  /** RFC 42: a label is of one process at a time. */
  #isFree(label: string): boolean {
    return label === "" || !this.running.some((process) => process.label === label);
  }

  #answer(start: { counted: CountedProcess; pid: number | undefined } | undefined): void {
    if (start === undefined) return;
    if (start.pid === undefined) start.counted.over();
    else start.counted.started(start.pid);
  }
}

const runningOf = (world: World, sub: string) =>
  world.running.filter((process) => process.sub === sub).length;

test("never counts fewer than run, and none when none do", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const next of steps) {
        world.run(next);
        for (const sub of SUBJECTS)
          expect(world.usage.count(sub), JSON.stringify(next)).toBeGreaterThanOrEqual(runningOf(world, sub));
      }
      world.settle();
      world.running.length = 0;
      world.list();
      expect(SUBJECTS.map((sub) => world.usage.count(sub))).toEqual([0, 0]);
    }),
    { numRuns: 3000 },
  );
});

test("is exact after a list, where every process on the rank is one whose answer came", () => {
  const answered = step.filter((next) => next.do !== "start" || next.answer === "at once");
  fc.assert(
    fc.property(fc.array(answered, { maxLength: 60 }), (steps) => {
      const world = new World();
      for (const next of steps) world.run(next);
      world.list();
      for (const sub of SUBJECTS) expect(world.usage.count(sub)).toBe(runningOf(world, sub));
    }),
    { numRuns: 500 },
  );
});
