/**
 * A transfer whose connection is cut again and again: every byte arrives once and in order, from one process.
 * `npm run chaos` is the long form; CHAOS_SEED in the environment changes the schedule.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { list } from "../../src/index.js";
import { type Stack, startStack } from "../support/stack.js";
import type { Cut, Direction, Fault, Faults } from "./faults.js";
import { HANDSHAKE, HEARD, OPENING, type Plan, plan, spread, UNHEARD } from "./plan.js";
import { storm } from "./storm.js";
import { type Transfer, transfer } from "./transfer.js";

const SEED = Number(process.env.CHAOS_SEED ?? 1);

const LARGE = 4_000_000;
const SMALL = 400_000;

/** A byte at which the session is open and the transfer runs at full speed. */
const UNDERWAY = 60_000;

const DIRECTIONS: readonly Direction[] = ["up", "down"];
const CUTS: readonly Cut[] = [...HEARD, ...UNHEARD];

const nameOf = (cut: Cut) => ("end" in cut ? `${cut.kind} that the ${cut.end} sees` : cut.kind);

const at = (cut: Cut, direction: Direction, after: number): Fault => ({ ...cut, direction, after });

describe("resume", () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await startStack({ size: 1 });
  });
  afterAll(() => stack.close());

  const run = (cutting: Plan, bytes = SMALL): Promise<Transfer> =>
    transfer({ ...stack, seed: SEED, bytes, cutting });

  /** The result of a transfer without a visible fault. */
  const expectWhole = (done: Transfer, cuts: number) => {
    const { sent, account, ended, falseSuccess, processes, most } = done;
    expect({ ended, cuts: done.cuts, falseSuccess, most }).toEqual({
      ended: "exit 0",
      cuts,
      falseSuccess: false,
      most: 1,
    });
    expect(account).toMatchObject({ lost: 0, doubled: 0, torn: 0, sha256: sent });
    expect(processes).toHaveLength(1);
    expect(done.resumes).toBeGreaterThanOrEqual(cuts);
  };

  it("60 cuts of all kinds at any byte", async () => {
    expectWhole(await run(spread(60), LARGE), 60);
  });

  for (const direction of DIRECTIONS) {
    it.each(CUTS.map((cut) => [nameOf(cut), cut] as const))(`${direction}: %s`, async (_name, cut) => {
      const once = plan(1, () => ({ at: [at(cut, direction, UNDERWAY)] }));
      expectWhole(await run(once), 1);
    });

    it(`${direction}: cuts of each kind that the client hears of, during the opening that resumes`, async () => {
      const openings = HEARD.flatMap((cut) => [0, 100, 250, 600, OPENING].map((after) => ({ cut, after })));
      const again = plan(1 + openings.length, (connection): Faults => {
        const opening = openings[connection - 2];
        if (!opening) return { at: [at({ kind: "reset" }, direction, UNDERWAY)] };
        return { at: [at(opening.cut, direction, opening.after)] };
      });
      expectWhole(await run(again), 1 + openings.length);
    });
  }

  it("a hello that arrives twice", async () => {
    const twice = plan(8, (connection) => ({
      at: [at({ kind: "reset" }, "up", UNDERWAY / 2)],
      ...(connection === 1 ? {} : { twice: HANDSHAKE }),
    }));
    expectWhole(await run(twice), 8);
  });

  it("acknowledgements that come late and are then lost", async () => {
    const late = plan(4, () => ({
      at: [{ kind: "stall", direction: "down", after: UNDERWAY / 2 }, at({ kind: "reset" }, "up", UNDERWAY)],
    }));
    expectWhole(await run(late), 4);
  });

  it("many clients at once", async () => {
    const clients = 40;
    const done = await storm({ ...stack, clients });
    expect(done).toMatchObject({ resumed: clients, samePid: clients, exited: clients, errors: [] });
  });

  it("leaves no process", async () => {
    expect(await list(stack.connect()).getProcesses()).toEqual([]);
  });
});
