import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson, stringifyJson } from "../../src/protocol/json.js";

/** Integers beyond those that a double holds, of up to 32 digits. */
const beyond = fc
  .bigInt({ min: 2n ** 53n, max: 10n ** 32n - 1n })
  .chain((integer) => fc.constantFrom(integer, -integer));

/** Texts that look like parts of JSON, and like the marks of the codec. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("#", "$", "\\", '"', ":", "1234567890123456789", "{", ",", " ", "\n", "é"), {
      maxLength: 12,
    })
    .map((parts) => parts.join("")),
);

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    beyond,
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((double) => (Object.is(double, -0) ? 0 : double)),
    fc.constantFrom(true, false, null, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e21, -1e300),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** An unsafe integer that a double holds is written by JSON.stringify as digits, and is an integer beyond for the reader. */
const read = (value: unknown): unknown => {
  if (typeof value === "number") {
    const digits = JSON.stringify(value);
    return /^-?\d{16,}$/.test(digits) && !Number.isSafeInteger(value) ? BigInt(digits) : value;
  }
  if (Array.isArray(value)) return value.map(read);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, read(item)]));
};

const hasBigInt = (value: unknown): boolean =>
  typeof value === "bigint" ||
  (typeof value === "object" && value !== null && Object.values(value).some(hasBigInt));

describe("json", () => {
  it("reads what it has written", () => {
    fc.assert(
      fc.property(value, (value) => {
        expect(parseJson(stringifyJson({ value }))).toEqual({ value: read(value) });
      }),
      { numRuns: 1000 },
    );
  });

  it("is JSON.parse and JSON.stringify without large integers, whatever digits the strings have", () => {
    fc.assert(
      fc.property(value, (value) => {
        fc.pre(!hasBigInt(read(value)));
        const written = JSON.stringify({ value });
        expect(stringifyJson({ value })).toBe(written);
        expect(parseJson(written)).toEqual(JSON.parse(written));
        const pretty = JSON.stringify({ value }, null, 2);
        expect(parseJson(pretty)).toEqual(JSON.parse(pretty));
      }),
      { numRuns: 1000 },
    );
  });

  it("reads the digits of an integer between any white space, in any place", () => {
    const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "\r"), maxLength: 3 });
    fc.assert(
      fc.property(beyond, text, space, space, (integer, key, before, after) => {
        const name = JSON.stringify(key);
        const number = `${before}${integer}${after}`;
        expect(parseJson(`{${before}${name}${after}:${number}}`)).toEqual({ [key]: integer });
        expect(parseJson(`[${number},${name},${number}]`)).toEqual([integer, key, integer]);
      }),
    );
  });

  it("accepts no text that JSON.parse refuses, and refuses none that it accepts", () => {
    const piece = fc.constantFrom(
      ..."{}[],:\"\\-+.eE0 ",
      "1234567890123456789", "\"#1\"", "\"$\"", "null", "\"a\"", "12345678901234567",
    ); // biome-ignore format: one line
    const parses = (parse: (text: string) => unknown, text: string) => {
      try {
        parse(text);
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
        return false;
      }
    };
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        expect(parses(parseJson, text)).toBe(parses(JSON.parse, text));
      }),
      { numRuns: 5000 },
    );
  });
});
