import { Session } from "node:inspector/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { matchesAny, matchesCommand, matchesGlob } from "../../../../proxy/policy/glob.js";

// V8 counts the blocks of a function that it has compiled since, which it does at the first call.
const session = new Session();
beforeAll(async () => {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
});
afterAll(() => session.disconnect());

describe("matchesGlob", () => {
  test.each([
    ["", "", true],
    ["", "a", false],
    ["a", "", false],
    ["*", "", true],
    ["*", "any\ntext\0at all", true],
    ["?", "", false],
    ["?", "a", true],
    ["?", "ab", false],
    ["?", "😀", true],
    ["??", "😀", false],
    ["a*", "a", true],
    ["a*", "ba", false],
    ["*a", "ab", false],
    ["*a*b*", "xxaxxbxx", true],
    ["*ab", "aab", true],
    ["*ab", "aba", false],
    ["a*b?d", "axxbbcd", true],
    ["**", "x", true],
    ["[a-z]", "a", false],
    ["a.c", "abc", false],
    ["a\\*", "a*", false],
    ["A", "a", false],
  ])("%j of %j: %s", (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });

  test("agrees with a regular expression", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "?", "\n", "😀"), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, given) => {
        const source = [...pattern].map((c) => (c === "*" ? ".*" : c === "?" ? "." : c)).join("");
        expect(matchesGlob(pattern, given)).toBe(new RegExp(`^(?:${source})$`, "su").test(given));
      }),
      { numRuns: 2000 },
    );
  });

  test("agrees with the definition, for patterns of up to 256 characters", () => {
    const letter = fc.constantFrom("a", "b", "😀");
    const piece = fc.oneof(letter, fc.constantFrom("*", "?"), fc.constant("a".repeat(31)));
    const pattern = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("").slice(0, 256));
    // A text that a pattern describes, and at times one letter more, less or another.
    const text = fc.tuple(pattern, fc.array(letter, { maxLength: 40 }), fc.nat(300), fc.nat(2), letter);
    fc.assert(
      fc.property(text, ([glob, filling, at, less, more]) => {
        const letters = [...glob].flatMap((c) =>
          c === "*" ? filling.slice(0, at % 5) : c === "?" ? [more] : [c],
        );
        const described = letters.join("");
        expect(matchesGlob(glob, described)).toBe(true);
        letters.splice(at % (letters.length + 1), less, more);
        const given = letters.join("");
        expect(matchesGlob(glob, given)).toBe(defines([...glob], [...given]));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["one star before 255 characters", `*${"a".repeat(254)}b`],
    ["a star before a question mark", `*?${"a".repeat(253)}b`],
    ["many stars", `${"a*".repeat(127)}b`],
  ])("takes no more than nine steps for a character: %s", async (_, pattern) => {
    const text = "a".repeat(20_000);
    let matches: boolean | undefined;
    const steps = await stepsOf(() => {
      matches = matchesGlob(pattern, text);
    });
    expect(matches).toBe(false);
    expect(steps).toBeGreaterThanOrEqual(text.length);
    expect(steps).toBeLessThanOrEqual(9 * text.length + 1000);
  });
});

/** The runs of the matcher's busiest block during the action, as V8 counts them. */
async function stepsOf(action: () => void): Promise<number> {
  await session.post("Profiler.takePreciseCoverage");
  action();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const matcher = result.filter(({ url }) => url.endsWith("proxy/policy/glob.ts"));
  const ranges = matcher.flatMap(({ functions }) => functions.flatMap((called) => called.ranges));
  return Math.max(...ranges.map(({ count }) => count));
}

/** True if a pattern matches a text: by the meaning of its characters, one at a time. */
function defines(pattern: readonly string[], text: readonly string[]): boolean {
  let ends = new Set([0]);
  for (const character of pattern) {
    const next = new Set<number>();
    for (const at of ends) {
      if (character === "*") for (let end = at; end <= text.length; end++) next.add(end);
      else if (at < text.length && (character === "?" || character === text[at])) next.add(at + 1);
    }
    ends = next;
  }
  return ends.has(text.length);
}

test("matchesAny: one of several, or none", () => {
  expect(matchesAny(["a*", "b"], "b")).toBe(true);
  expect(matchesAny(["a*", "b"], "c")).toBe(false);
  expect(matchesAny([], "")).toBe(false);
});

describe("matchesCommand", () => {
  test.each([
    [["ls"], ["ls"], true],
    [["ls"], ["ls", "-l"], false],
    [["ls"], [], false],
    [["ls", "**"], ["ls"], true],
    [["ls", "**"], ["ls", "-l", "/"], true],
    [["ls", "**"], ["cat"], false],
    [["**"], [], true],
    [["ls", "-?", "*"], ["ls", "-l", ""], true],
    [["ls", "-?"], ["ls", "-la"], false],
    [["ls", "*"], ["ls", "a", "b"], false],
  ])("%j of %j: %s", (pattern, argv, expected) => {
    expect(matchesCommand(pattern, argv)).toBe(expected);
  });
});
