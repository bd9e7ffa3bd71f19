import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { CreditMeter } from "../../../../proxy/call/credit.js";

describe("CreditMeter", () => {
  test("the slowest rank rules, one that has said nothing counts as 0", () => {
    const meter = new CreditMeter([0, 1]);
    expect(meter.grant(0, "stdin", 100)).toBe(0);
    expect(meter.grant(1, "stdin", 40)).toBe(40);
    expect(meter.grant(1, "stdin", 100)).toBe(60);
  });

  test("streams are counted apart", () => {
    const meter = new CreditMeter([0]);
    expect(meter.grant(0, "stdin", 5)).toBe(5);
    expect(meter.grant(0, "aux", 7)).toBe(7);
    expect(meter.spend("stdin", 6)).toBe(false);
    expect(meter.spend("aux", 6)).toBe(true);
    expect(meter.spend("other", 1)).toBe(false);
    expect(meter.spend("other", 0)).toBe(true);
  });

  test("a rank that is over raises the least, and the last one nothing", () => {
    const meter = new CreditMeter([0, 1]);
    meter.grant(0, "stdin", 100);
    expect(meter.remove(1)).toEqual(new Map([["stdin", 100]]));
    expect(meter.remove(1)).toEqual(new Map());
    expect(meter.grant(1, "stdin", 100)).toBe(0);
    expect(meter.remove(0)).toEqual(new Map());
  });

  test("the cost of a grant does not depend on the number of ranks", () => {
    const ranks = Array.from({ length: 2000 }, (_, rank) => rank);
    const meter = new CreditMeter(ranks);
    const looks = vi.spyOn(Map.prototype, "get");
    const grown = ranks.map((rank) => meter.grant(rank, "stdin", 10));
    const { length } = looks.mock.calls;
    looks.mockRestore();
    expect(grown.reduce((sum, bytes) => sum + bytes)).toBe(10);
    expect(length).toBeLessThan(4 * ranks.length);
  });

  test("announced is at all times the least that a live rank has granted", () => {
    const step = fc.oneof(
      fc.record({ rank: fc.nat(4), stream: fc.constantFrom("stdin", "aux"), bytes: fc.nat(1000) }),
      fc.record({ over: fc.nat(4) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (ranks, steps) => {
        const live = new Map(Array.from({ length: ranks }, (_, rank) => [rank, new Map<string, number>()]));
        const meter = new CreditMeter([...live.keys()]);
        const announced = new Map<string, number>();
        const announce = (stream: string, bytes: number) => {
          expect(bytes).toBeGreaterThanOrEqual(0);
          announced.set(stream, (announced.get(stream) ?? 0) + bytes);
        };
        for (const s of steps) {
          if ("over" in s) {
            live.delete(s.over);
            for (const [stream, bytes] of meter.remove(s.over)) announce(stream, bytes);
          } else {
            const granted = live.get(s.rank);
            granted?.set(s.stream, (granted.get(s.stream) ?? 0) + s.bytes);
            announce(s.stream, meter.grant(s.rank, s.stream, s.bytes));
          }
          if (live.size === 0) break;
          for (const [stream, bytes] of announced) {
            const least = Math.min(...[...live.values()].map((granted) => granted.get(stream) ?? 0));
            expect(bytes).toBe(least);
          }
        }
      }),
    );
  });

  test("no more can be spent than was announced", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(100))), (steps) => {
        const meter = new CreditMeter([0]);
        let left = 0;
        for (const [grant, bytes] of steps) {
          if (grant) {
            left += meter.grant(0, "stdin", bytes);
          } else {
            const allowed = bytes <= left;
            expect(meter.spend("stdin", bytes)).toBe(allowed);
            if (allowed) left -= bytes;
          }
        }
      }),
    );
  });
});
