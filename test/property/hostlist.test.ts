import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHostlist } from "../../proxy/hosts/hostlist.js";

const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,6}$/);
const suffix = fc.option(fc.stringMatching(/^-[a-z]{1,4}$/), { nil: "" });

/** An element of a hostlist, and its names. */
const element = fc.oneof(
  word.map((name) => ({ text: name, names: [name] })),
  fc
    .record({
      prefix: fc.oneof(word, fc.constant("")),
      ranges: fc.array(
        fc.record({ from: fc.nat(1200), more: fc.nat(5), width: fc.integer({ min: 1, max: 6 }) }),
        { minLength: 1, maxLength: 5 },
      ),
      suffix,
    })
    .map(({ prefix, ranges, suffix }) => {
      const parts = ranges.map(({ from, more, width }) => {
        const first = String(from).padStart(width, "0");
        const names = Array.from(
          { length: more + 1 },
          (_, i) => `${prefix}${String(from + i).padStart(first.length, "0")}${suffix}`,
        );
        return { text: more === 0 ? first : `${first}-${from + more}`, names };
      });
      return {
        text: `${prefix}[${parts.map(({ text }) => text).join()}]${suffix}`,
        names: parts.flatMap(({ names }) => names),
      };
    }),
);

describe("decodeHostlist", () => {
  it("gives the names of each element, in order", () => {
    fc.assert(
      fc.property(fc.array(element, { maxLength: 8 }), (elements) => {
        const names = elements.flatMap((each) => each.names);
        expect(decodeHostlist(elements.map(({ text }) => text).join(), 1000)).toEqual(names);
      }),
    );
  });

  it("gives no more names than it may, whatever the text", () => {
    fc.assert(
      fc.property(fc.array(element, { maxLength: 8 }), fc.nat(40), (elements, max) => {
        const text = elements.map(({ text }) => text).join();
        const { length } = elements.flatMap(({ names }) => names);
        if (length <= max) expect(decodeHostlist(text, max)).toHaveLength(length);
        else expect(() => decodeHostlist(text, max)).toThrow(TypeError);
      }),
    );
  });

  it("gives names or a TypeError for any text", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "7", "0", ",", "-", "[", "]", " ", "é", "\n"), { maxLength: 24 }),
        (characters) => {
          const text = characters.join("");
          try {
            for (const name of decodeHostlist(text, 1000)) expect(name).toMatch(/^[^,[\]\s]+$/);
          } catch (error) {
            expect(error).toBeInstanceOf(TypeError);
          }
        },
      ),
    );
  });
});
