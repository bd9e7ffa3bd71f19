/** Words that pass through a real shell. */
import { execFileSync, spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ShellValue, sh } from "../../src/index.js";

/** Strings of C in UTF-8. */
const word = fc
  .oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(..."'\"\\$`!#;&|<>(){}[]*?~=-+ \t\n\r") }),
    fc.constantFrom("", "$(id)", "`id`", "'", "''", "\\", "-n", "a\nb", "~", "*", "$HOME", "$'x'", "<<E"),
  )
  .filter((text) => !text.includes("\0") && !/\p{Cs}/u.test(text));

/** Runs a command. @returns the bytes that it writes, as text */
const output = ([file, ...args]: string[]) =>
  execFileSync(file as string, args, { stdio: ["ignore", "pipe", "pipe"] }).toString();

/** The words that a program gets. */
const wordsOf = (command: string[]) => output(command).split("\0").slice(0, -1);

const shells = [["sh"], ["bash", "--posix"]];

describe.each(shells)("sh, read by %s", (...shell) => {
  const run = ([, ...rest]: string[]) => [...shell, ...rest];

  it("any words survive, alone, in arrays and as parts of words", () => {
    fc.assert(
      fc.property(word, fc.array(word, { minLength: 1 }), word, (one, several, part) => {
        const command = sh`printf '%s\\0' ${one} ${several} --x=${part}y ${one}${part}`;
        expect(wordsOf(run(command))).toEqual([one, ...several, `--x=${part}y`, one + part]);
      }),
      { numRuns: 100 },
    );
  });

  /** Pieces of a script in which a value may or may not be a word. */
  const piece = fc.constantFrom(
    ..."'\"\\`# \n;a$({})<|&=".split(""),
    "$(echo ",
    "${x:-",
    "<<E\n",
    "\nE\n",
    "$'",
    '"$(echo "',
    "((",
    "\\\n",
  );

  /** Values that run a command where they are not one word. */
  const EVIL = [
    "$(printf EVIL >&2)",
    "; printf EVIL >&2; #",
    "\nprintf EVIL >&2\n#",
    "'; printf EVIL >&2; '",
  ];

  /** True if the script runs a command of {@link EVIL}. A message of the shell may repeat it, but no line of it begins with its output. */
  const runsEvil = (script: string): boolean => {
    const child = `PATH=; printf() { command printf '\nEVIL\n' >&2; }; a() { :; }; ${script}`;
    const { stdout, stderr } = spawnSync(shell[0] as string, [...shell.slice(1), "-c", child], {
      timeout: 5000,
      cwd: "/proc",
    });
    return /^EVIL/m.test(`${stdout}${stderr}`);
  };

  const pieces = fc.array(piece, { maxLength: 6 });

  it("no value of any script runs a command", () => {
    let accepted = 0;
    fc.assert(
      fc.property(pieces, fc.constantFrom(...EVIL), pieces, (before, evil, after) => {
        const script = [`: ${before.join("")}`, after.join("")];
        let command: string[];
        try {
          command = sh(Object.assign(script, { raw: script }), evil);
        } catch {
          return;
        }
        accepted++;
        expect(runsEvil(command[2] as string)).toBe(false);
      }),
      { numRuns: 200 },
    );
    expect(accepted).toBeGreaterThan(30);
  });

  it.each([
    ['"', 0, '"'],
    ['"$(echo "', 0, '")"'],
    ["<<E\n", 0, "\nE\n"],
    ["x\\", 1, ""],
    ["# ", 2, ""],
  ])("behind %j a value would, without the refusal", (before, evil, after) => {
    const naive = `'${(EVIL[evil] as string).replaceAll("'", "'\\''")}'`;
    expect(runsEvil(`: ${before}${naive}${after}`)).toBe(true);
    const script = [`: ${before}`, after];
    expect(() => sh(Object.assign(script, { raw: script }), EVIL[evil] as string)).toThrow(TypeError);
  });
});

describe("sh", () => {
  it("has one word for a number, several for an array, none for an empty one", () => {
    expect(sh`a ${1} ${10n ** 20n} ${[]} ${["b", 2]}`).toEqual([
      "sh",
      "-c",
      "a '1' '100000000000000000000'  'b' '2'",
    ]);
    expect(sh`ls`).toEqual(["sh", "-c", "ls"]);
    expect(sh``).toEqual(["sh", "-c", ""]);
  });

  it("is no option of the shell", () => {
    expect(output(sh`-n 2>/dev/null; echo ran`)).toBe("ran\n");
  });

  it("refuses NUL and other types", () => {
    for (const value of ["a\0", ["a\0"]]) {
      expect(() => sh`a ${value}`).toThrow(new TypeError("value 1 of sh has a NUL character"));
    }
    for (const value of [undefined, null, {}, true, [["a"]] as never, Symbol("x")]) {
      if (Array.isArray(value)) continue;
      expect(() => sh`a ${"b"} ${value as unknown as ShellValue}`).toThrow(
        new TypeError("value 2 of sh is not a string, a number or an array of these"),
      );
    }
  });

  const x = "x";
  it.each<[string, () => unknown]>([
    ["double quotes", () => sh`echo "${x}"`],
    ["single quotes", () => sh`echo '${x}'`],
    ["backquotes", () => sh`echo \`cat ${x}\``],
    ["a comment", () => sh`echo # ${x}`],
    ["a comment after an operator", () => sh`echo;# ${x}`],
    ["quotes in a substitution in quotes", () => sh`echo "$(cat "${x}")"`],
    ["a here-document", () => sh`cat <<E\n${x}\nE`],
    ["arithmetic", () => sh`echo $((${x}))`],
    ["a backslash", () => sh`echo \\${x}`],
    ["dollar quotes", () => sh`echo $'a\\'${x}'`],
  ])("refuses a value in %s", (_, make) => {
    expect(make).toThrow(/^value 1 of sh stands in quotes, a comment, "\(\(" or after "<<"/);
  });

  it("takes a value beside all of these", () => {
    const command = sh`printf '%s|' "a # ' b" 'c "' \\" $(printf %s ${"d e"}) f#g ${"h"} # it's\nprintf %s ${"i"}`;
    expect(output(command)).toBe(`a # ' b|c "|"|d|e|f#g|h|i`);
  });
});
