import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { structureFault } from "../../../../proxy/broker/structure.js";

const fault = (json: string) => structureFault(Buffer.from(json));

/** How deep a value is nested, and how many values it has, its own included. */
function measure(value: unknown): { depth: number; values: number } {
  if (typeof value !== "object" || value === null) return { depth: 0, values: 1 };
  const inner = Object.values(value).map(measure);
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    values: 1 + inner.reduce((sum, { values }) => sum + values, 0),
  };
}

describe("structureFault", () => {
  it("lets any JSON of a usual size pass, whatever its strings hold", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4, noUnicodeString: false }), (json) => {
        expect(fault(json)).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it("sees the depth past strings with quotes, escapes and brackets", () => {
    const text = fc.string({ unit: fc.constantFrom('"', "\\", "[", "{", ",", "é", "]", "}") });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), fc.integer({ min: 240, max: 270 }), (texts, depth) => {
        const core = JSON.stringify(texts);
        const json = `${'{"[":'.repeat(depth)}${core}${"}".repeat(depth)}`;
        expect(measure(JSON.parse(json)).depth).toBe(depth + 1);
        expect(fault(json)).toBe(depth + 1 > 256 ? "is nested more than 256 deep" : undefined);
      }),
    );
  });

  it.each([
    ["numbers", (n: number) => `[${"0,".repeat(n - 2)}0]`],
    ["objects", (n: number) => `[${"{},".repeat((n - 2) / 2)}0]`],
    ["strings", (n: number) => `[${'"a,b",'.repeat(n - 2)}"c"]`],
  ])("refuses what is more than 524,288 values: %s", (_, json) => {
    expect(fault(json(524_288))).toBeUndefined();
    expect(fault(json(524_290))).toBe("has more than 524288 values");
  });

  it("counts no fewer values than there are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 20 }),
        fc.nat(400),
        (values, times) => {
          const json = `[${Array.from({ length: times * 40 }, () => JSON.stringify(values)).join(",")}]`;
          if (measure(JSON.parse(json)).values > 524_288) expect(fault(json)).toMatch(/values$/);
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each(['"', '"\\', "[", "}}}}", '{"a":"', "", "\0", '\\"'])("answers for what is no JSON: %j", (text) => {
    expect(fault(text)).toBeUndefined();
  });

  it("takes 63 MiB of brackets for what they are, at the 257th", () => {
    expect(structureFault(new Uint8Array(63 * 1024 * 1024).fill(0x5b))).toBe("is nested more than 256 deep");
  });
});
