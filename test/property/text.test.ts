import fc from "fast-check";
import { from, type OperatorFunction } from "rxjs";
import { describe, expect, it } from "vitest";
import { lines, text } from "../../src/index.js";

/** Bytes that matter to a decoder: parts of characters, ends of lines, byte order marks. */
const pieces = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc
    .constantFrom("\n", "\r\n", "\r", "é", "😀", "\u2028", "\ufeff", "", "x")
    .map((s) => new TextEncoder().encode(s)),
  fc
    .constantFrom([0xf0, 0x9f], [0x98, 0x80], [0xed, 0xa0, 0x80], [0xef, 0xbb])
    .map((bytes) => Uint8Array.from(bytes)),
);
const whole = fc
  .array(pieces, { maxLength: 25 })
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

/** Cut anywhere, chunks of nothing among them. */
function cut<T extends { slice(from: number, to?: number): T; length: number }>(all: T, cuts: number[]): T[] {
  const at = [0, ...cuts.map((n) => n % (all.length + 1)).sort((a, b) => a - b), all.length];
  return at.slice(1).map((end, i) => all.slice(at[i] as number, end));
}

const cuts = fc.array(fc.nat(), { maxLength: 30 });

/** The encoding's own splitting of lines, done on the whole. */
function linesOf(decoded: string): string[] {
  const all = decoded.split("\n");
  const last = all.pop() as string;
  return [...all.map((line) => line.replace(/\r$/, "")), ...(last === "" ? [] : [last])];
}

function run<T, R>(chunks: T[], operator: OperatorFunction<T, R>): R[] {
  const values: R[] = [];
  let end: unknown;
  from(chunks)
    .pipe(operator)
    .subscribe({
      next: (value) => values.push(value),
      error: (error) => {
        end = error;
      },
      complete: () => {
        end = "completed";
      },
    });
  expect(end).toBe("completed");
  return values;
}

describe("text", () => {
  it.each(["utf-8", "utf-16le", "shift_jis"])(
    "of any split of any bytes is that of the whole: %s",
    (encoding) => {
      fc.assert(
        fc.property(whole, cuts, (bytes, at) => {
          const decoded = run(cut(bytes, at), text(encoding));
          expect(decoded.join("")).toBe(new TextDecoder(encoding).decode(bytes));
          expect(decoded).not.toContain("");
        }),
        { numRuns: 300 },
      );
    },
  );

  it("fed one byte at a time is the same", () => {
    fc.assert(
      fc.property(whole, (bytes) => {
        const decoded = run(cut(bytes, [...bytes.keys()]), text());
        expect(decoded.join("")).toBe(new TextDecoder().decode(bytes));
      }),
    );
  });
});

describe("lines", () => {
  it("of any split of any bytes are those of the whole", () => {
    fc.assert(
      fc.property(whole, cuts, (bytes, at) => {
        const expected = linesOf(new TextDecoder().decode(bytes));
        expect(run(cut(bytes, at), lines())).toEqual(expected);
        expect(run(cut(bytes, at), (source) => source.pipe(text(), lines()))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("of any split of any text are those of the whole", () => {
    const any = fc.array(
      fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\n", "\r\n", "\r", "😀", "\ufeff")),
    );
    fc.assert(
      fc.property(
        any.map((parts) => parts.join("")),
        cuts,
        (all, at) => {
          expect(run(cut(all, at), lines())).toEqual(linesOf(all));
        },
      ),
      { numRuns: 300 },
    );
  });
});
