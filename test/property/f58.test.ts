import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { f58, jobNumber } from "../../src/job/id.js";

const id = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });

describe("job ids", () => {
  it("read as the number that was written, in every form", () => {
    fc.assert(
      fc.property(id, (id) => {
        const text = f58(id);
        for (const form of [
          id,
          text,
          text.replace("ƒ", "f"),
          ` ${text}\n`,
          String(id),
          `0x${id.toString(16)}`,
        ])
          expect(jobNumber(form)).toBe(id);
      }),
    );
  });

  it("sort by length and digits as the numbers do", () => {
    fc.assert(
      fc.property(id, id, (a, b) => {
        fc.pre(a !== b);
        const [x, y] = [f58(a), f58(b)];
        expect(x.length === y.length ? x < y : x.length < y.length).toBe(a < b);
      }),
    );
  });

  it("are nothing else", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const number = jobNumber(text);
          expect([f58(number), f58(number).replace("ƒ", "f"), String(number), text.trim()]).toContain(
            text.trim(),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});
