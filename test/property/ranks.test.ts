import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partsOf, RankRanges } from "../../proxy/auth/rank-ranges.js";
import { IdTable } from "../../proxy/call/id-table.js";
import { RankList, RankSet } from "../../proxy/call/ranks.js";
import { idsetOf, targetOf } from "../../proxy/call/target.js";
import { decodeIdset, encodeIdset, expand, idsetRanges } from "../../src/protocol/idset.js";
import { ProtocolError } from "../../src/protocol/protocol-error.js";

const ascending = fc.uniqueArray(fc.nat(40), { minLength: 1 }).map((ids) => ids.sort((a, b) => a - b));

describe("RankSet", () => {
  it("is a Set of all ranks from which some are deleted", () => {
    fc.assert(
      fc.property(ascending, fc.array(fc.nat(45)), (ranks, deleted) => {
        const set = new RankSet(new RankList(ranks, 100));
        const model = new Set(ranks);
        for (const rank of deleted) {
          expect(set.delete(rank)).toBe(model.delete(rank));
          expect([...set]).toEqual([...model]);
          expect([set.size, set.has(rank)]).toEqual([model.size, model.has(rank)]);
        }
      }),
    );
  });

  it("has the matchtags in the order of the ranks", () => {
    fc.assert(
      fc.property(ascending, (ranks) => {
        const list = new RankList(ranks, 100);
        expect(ranks.map((rank) => list.matchtag(rank))).toEqual(ranks.map((_, i) => 100 + i));
        expect(list.matchtag(41)).toBeUndefined();
      }),
    );
  });
});

const rangesOf = (ranks: readonly number[]) => idsetRanges(encodeIdset(ranks));
const isWithin = (limit: RankRanges, ranks: readonly number[]) => ranks.every((rank) => limit.has(rank));

describe("RankRanges", () => {
  it("has the ranks of a set, and covers the ranges that lie in it", () => {
    fc.assert(
      fc.property(ascending, fc.nat(45), fc.nat(45), (ranks, one, other) => {
        // Also ranges that touch, as "1-2,3" has.
        const limit = new RankRanges(ranks.map((rank) => [rank, rank]));
        expect(limit.has(one)).toBe(ranks.includes(one));
        const range = [Math.min(one, other), Math.max(one, other)] as const;
        expect(limit.covers(range)).toBe(isWithin(limit, expand([range])));
      }),
    );
  });

  it("is divided into parts that each set has as a whole or not at all", () => {
    fc.assert(
      fc.property(ascending, fc.array(ascending, { maxLength: 3 }), (ranks, sets) => {
        const limits = sets.map((set) => new RankRanges(rangesOf(set)));
        const parts = partsOf(rangesOf(ranks), limits);
        expect(expand(parts)).toEqual(ranks);
        for (const part of parts) {
          const some = (limit: RankRanges) => expand([part]).some((rank) => limit.has(rank));
          for (const limit of limits) expect(limit.covers(part)).toBe(some(limit));
        }
      }),
    );
  });
});

describe("targetOf", () => {
  it("divides the ranks that are named into those that exist and those that do not", () => {
    fc.assert(
      fc.property(ascending, fc.integer({ min: 1, max: 45 }), (ranks, size) => {
        const target = targetOf(encodeIdset(ranks), { rank: 0, size });
        expect(target.ranks).toEqual(ranks.filter((rank) => rank < size));
        expect([...target.ranks, ...expand(target.missing)]).toEqual(ranks);
        expect(target.size).toBe(ranks.length);
        expect(decodeIdset(idsetOf(target))).toEqual(ranks);
      }),
    );
  });
});

describe("CallTable", () => {
  it("finds ids that are in use, as a set of all of them would", () => {
    const step = fc.record({
      id: fc.integer({ min: 1, max: 60 }),
      ids: fc.integer({ min: 1, max: 9 }),
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const table = new IdTable<{ id: number; ids: number }>();
        const model = new Map<number, { id: number; ids: number }>();
        const used = () =>
          [...model.values()].flatMap(({ id, ids }) => Array.from({ length: ids }, (_, i) => id + i));
        for (const { id, ids, remove } of steps) {
          const there = model.get(id);
          if (remove && there !== undefined) {
            table.remove(there);
            model.delete(id);
          }
          const wanted = Array.from({ length: ids }, (_, i) => id + i);
          const taken = used().filter((each) => wanted.includes(each));
          const least = Math.min(...taken);
          const check = () => table.check(id, ids);
          if (taken.length > 0) expect(check).toThrow(`id ${least} is in use`);
          else {
            check();
            const call = { id, ids };
            table.add(call);
            model.set(id, call);
          }
          for (let each = 1; each < 70; each++) {
            const find = () => table.get(each);
            if (model.has(each) || !used().includes(each)) expect(find()).toBe(model.get(each));
            else expect(find).toThrow(ProtocolError);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
