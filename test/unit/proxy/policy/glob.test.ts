import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchesAny, matchesCommand, matchesGlob } from "../../../../proxy/policy/glob.js";

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

  test("does not blow up on what makes regular expressions do so", () => {
    const begun = performance.now();
    expect(matchesGlob(`${"a*".repeat(100)}b`, "a".repeat(100_000))).toBe(false);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

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
