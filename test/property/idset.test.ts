import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeIdset, encodeIdset, MAX_IDS } from "../../src/protocol/idset.js";

const MAX_ID = 0xfffffffe;

/** Ascending ids, some of them in runs. */
const ids = fc
  .array(fc.tuple(fc.oneof(fc.nat(60), fc.nat(MAX_ID)), fc.nat(12)), { maxLength: 20 })
  .map((runs) => {
    const set = new Set(
      runs.flatMap(([first, more]) => Array.from({ length: more + 1 }, (_, i) => first + i)),
    );
    return [...set].filter((id) => id <= MAX_ID).sort((a, b) => a - b);
  });

describe("idset", () => {
  it("parses to its formatted value, with brackets and without", () => {
    fc.assert(
      fc.property(ids, (set) => {
        const text = encodeIdset(set);
        expect(decodeIdset(text)).toEqual(set);
        expect(decodeIdset(`[${text}]`)).toEqual(set);
      }),
    );
  });

  it("is as short as can be: no two ranges touch", () => {
    fc.assert(
      fc.property(ids, (set) => {
        const ranges = encodeIdset(set)
          .split(",")
          .filter((range) => range !== "")
          .map((range) => range.split("-").map(Number));
        for (const [i, [first]] of ranges.entries()) {
          const before = ranges[i - 1]?.at(-1);
          if (before !== undefined) expect(first).toBeGreaterThan(before + 1);
        }
      }),
    );
  });

  it("is a TypeError, or ascending ids within the bounds, for any text", () => {
    const close = fc.stringMatching(/^\[?[0-9,\-[\] ]{0,12}\]?$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), close), (text) => {
        let set: number[];
        try {
          set = decodeIdset(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        expect(set.length).toBeLessThanOrEqual(MAX_IDS);
        for (const [i, id] of set.entries()) {
          expect(Number.isInteger(id) && id >= 0 && id <= MAX_ID).toBe(true);
          if (i > 0) expect(id).toBeGreaterThan(set[i - 1] as number);
        }
        // Another spelling of it says the same.
        expect(decodeIdset(encodeIdset(set))).toEqual(set);
      }),
      { numRuns: 500 },
    );
  });
});
