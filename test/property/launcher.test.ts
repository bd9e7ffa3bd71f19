import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  canLaunch,
  launcherCommand,
  launcherPath,
  readLauncherCommand,
} from "../../src/protocol/launcher.js";

const word = fc.oneof(
  fc.string(),
  fc.constantFrom("--", "-", "-C", "-i", "A=1", "=", "env", "/usr/bin/env", ""),
);
const program = word.filter(canLaunch);
const name = fc.string({ minLength: 1 }).filter((text) => !text.includes("="));
const launches = fc.record({
  cmdline: fc.tuple(program, fc.array(word)).map(([first, rest]) => [first, ...rest]),
  cwd: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  env: fc.dictionary(name, word, { noNullPrototype: true }),
});
const path = fc.nat(0xffff).map(launcherPath);

describe("a launcher's command", () => {
  it("is read as it was made", () => {
    fc.assert(
      fc.property(launches, path, (launch, launcher) => {
        fc.pre(launch.cwd !== undefined || Object.keys(launch.env).length > 0);
        expect(readLauncherCommand(launcherCommand(launch, launcher))).toEqual(launch);
      }),
    );
  });

  it("is the only one that is read: of any words, or none", () => {
    const words = fc.oneof(
      fc.array(word),
      fc.tuple(path, fc.array(word)).map(([first, rest]) => [first, ...rest]),
    );
    fc.assert(
      fc.property(words, (any) => {
        const launch = readLauncherCommand(any);
        if (launch) expect(launcherCommand(launch, any[0] as string)).toEqual(any);
      }),
      { numRuns: 2000 },
    );
  });

  const at = launcherPath(0x5a5a);
  it.each([
    [["/usr/bin/env", "-C", "/x", "--", "ls"]],
    [[`${at}x`, "-C", "/x", "--", "ls"]],
    [[at.replace("/usr", "/evil"), "-C", "/x", "--", "ls"]],
    [[at.replace("/bin", "/../bin"), "-C", "/x", "--", "ls"]],
    [[at, "--", "ls"]],
    [[at, "-C", "/x", "ls"]],
    [[at, "-C", "", "--", "ls"]],
    [[at, "-C", "/x", "--"]],
    [[at, "-C", "/x", "--", "A=1"]],
    [[at, "-C", "/x", "--", "-", "ls"]],
    [[at, "-C", "/x", "--", "=1", "ls"]],
    [[at, "-i", "-C", "/x", "--", "ls"]],
    [[at, "-C", "/x", "-S", "ls", "--", "ls"]],
    [[at, "--", "A=1", "-"]],
    [[at]],
    [[]],
  ])("is not %j", (words) => {
    expect(readLauncherCommand(words)).toBeUndefined();
  });

  it("has a path with 65,536 spellings, each of /usr/bin/env", () => {
    const paths = Array.from({ length: 0x10000 }, (_, i) => launcherPath(i));
    expect(new Set(paths).size).toBe(0x10000);
    expect(new Set(paths.map((each) => each.replace(/\/(\.?\/)+/g, "/")))).toEqual(new Set(["/usr/bin/env"]));
  });
});
