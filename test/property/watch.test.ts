/** The differences add up to the last table of a rank, whatever its tables were and whichever of them were sent. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differenceOf, type RankSnapshot, readTable } from "../../proxy/watch/rank-snapshot.js";
import { FluxError } from "../../src/errors.js";
import { type ProcessTable, ProcessTables } from "../../src/subprocess/process-table.js";

const proc = fc.record({
  pid: fc.integer({ min: 1, max: 12 }),
  cmd: fc.constantFrom("sh", "sleep"),
  label: fc.constantFrom("", "a", "b"),
  state: fc.constantFrom("R", "Z"),
});
const procs = fc.uniqueArray(proc, { selector: ({ pid }) => pid, maxLength: 12 });
const answer = fc.oneof(
  { weight: 4, arbitrary: fc.record({ rank: fc.constantFrom<number>(0, 0, 0, 10), procs }) },
  { weight: 1, arbitrary: fc.record({ errno: fc.constantFrom(1, 113), message: fc.constantFrom("", "no") }) },
);
type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

/** Some ranks, in the order that they answer, and whether the client gets the difference then or later. */
const history = fc.array(fc.record({ of: fc.nat(2), answer, sent: fc.boolean() }), { maxLength: 40 });

/** A proxy that polls some ranks, and a client that watches them. */
class Watched {
  readonly tables = new ProcessTables(
    (errno, reason, rank) => new FluxError(errno, reason, { rank }),
    "rexec",
  );
  readonly last = new Map<number, Answer>();
  readonly #seen = new Map<number, RankSnapshot>();
  readonly #sent = new Map<number, RankSnapshot>();

  /** Sometimes another rank answers than was asked. */
  polled(of: number, answer: Answer): void {
    const answered = "errno" in answer ? answer : { ...answer, rank: of + answer.rank };
    this.last.set(of, answered);
    this.#seen.set(of, "errno" in answered ? answered : readTable(answered, this.#seen.get(of)));
  }

  /** @returns whether there was a difference to send */
  send(of: number): boolean {
    const seen = this.#seen.get(of);
    const difference = seen && differenceOf(this.#sent.get(of), seen);
    if (seen) this.#sent.set(of, seen);
    if (difference) this.tables.apply(of, JSON.parse(JSON.stringify(difference)));
    return difference !== undefined;
  }

  sendAll(): void {
    for (const of of this.last.keys()) this.send(of);
  }

  /** The table that the client should have. */
  get expected() {
    const ranks = [...this.last].sort(([a], [b]) => a - b);
    return {
      processes: ranks.flatMap(([, answered]) =>
        "errno" in answered
          ? []
          : answered.procs
              .map((row) => ({ ...row, rank: answered.rank, label: row.label || "-" }))
              .sort((a, b) => a.pid - b.pid),
      ),
      errors: ranks.flatMap(([rank, answered]) =>
        "errno" in answered ? [{ rank, errno: answered.errno }] : [],
      ),
    };
  }
}

const plain = ({ processes, errors }: ProcessTable) => ({
  processes: processes.map((row) => ({ ...row })),
  errors: errors.map(({ rank, errno }) => ({ rank, errno })),
});

describe("the differences of tables", () => {
  it("add up to the last table, whichever of them were sent", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const watched = new Watched();
        for (const { of, answer: answered, sent } of steps) {
          watched.polled(of, answered);
          if (sent) watched.send(of);
        }
        watched.sendAll();
        expect(plain(watched.tables.table)).toEqual(watched.expected);
      }),
    );
  });

  it("are absent if nothing has changed, and keep unchanged rows", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const watched = new Watched();
        for (const { of, answer: answered } of steps) {
          const before = watched.tables.table;
          const last = JSON.stringify(watched.last.get(of));
          watched.polled(of, answered);
          const sent = watched.send(of);
          const after = watched.tables.table;
          if (last === JSON.stringify(watched.last.get(of))) expect([sent, after]).toEqual([false, before]);
          if (!sent) expect(after).toBe(before);
          for (const row of after.processes) {
            const old = before.processes.find((other) => JSON.stringify(other) === JSON.stringify(row));
            if (old) expect(row).toBe(old);
          }
          const [had, has] = [plain(before), plain(after)].map((table) => JSON.stringify(table.processes));
          if (had === has) expect(after.processes).toBe(before.processes);
          for (const error of after.errors) {
            const old = before.errors.find(({ rank }) => rank === error.rank);
            if (old && old.errno === error.errno && old.message === error.message) expect(error).toBe(old);
          }
        }
      }),
    );
  });

  it("cost as much for the first table as its ranks, and not their square", () => {
    const tables = new ProcessTables(
      (errno, reason, rank) => new FluxError(errno, reason, { rank }),
      "rexec",
    );
    for (let rank = 0; rank < 32_768; rank++) {
      tables.apply(rank, { rank, procs: [{ pid: 1, cmd: "sh", label: "", state: "R" }], gone: [] });
    }
    expect(tables.table.processes).toHaveLength(32_768);
  });
});
