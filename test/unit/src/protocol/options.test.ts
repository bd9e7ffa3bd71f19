import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boolean, natural } from "../../../../src/protocol/checks.js";
import { checkOptions, type OptionChecks, unchecked } from "../../../../src/protocol/options.js";

interface Shared {
  nodeid?: unknown;
  signal?: unknown;
}
interface Options extends Shared {
  timeout?: number | undefined;
  stdout?: boolean | undefined;
}

const SHARED: OptionChecks<Shared> = { nodeid: unchecked, signal: unchecked };
const OWN = { timeout: natural, stdout: boolean };

const check = (options: object) => () => checkOptions("exec", options as Options, SHARED, OWN);

describe("checkOptions", () => {
  it("takes every option, alone, together and undefined", () => {
    for (const options of [
      {},
      { nodeid: 1 },
      { timeout: 3, stdout: false, signal: null },
      { timeout: undefined },
    ])
      expect(check(options)).not.toThrow();
  });

  it.each([
    ["timout", 'unknown option "timout" of exec; did you mean "timeout"?'],
    ["Timeout", 'unknown option "Timeout" of exec; did you mean "timeout"?'],
    ["stduot", 'unknown option "stduot" of exec; did you mean "stdout"?'],
    ["nodeId", 'unknown option "nodeId" of exec; did you mean "nodeid"?'],
    ["pty", 'unknown option "pty" of exec'],
    ["", 'unknown option "" of exec'],
    ["constructor", 'unknown option "constructor" of exec'],
    ["__proto__", 'unknown option "__proto__" of exec'],
  ])("refuses %j, also if it is undefined", (name, message) => {
    for (const value of [1, undefined]) {
      expect(check(Object.fromEntries([[name, value]]))).toThrow(new TypeError(message));
    }
  });

  it("refuses a value of a wrong type by the option's check", () => {
    expect(check({ stdout: "no" })).toThrow(new TypeError("stdout is not a boolean"));
    expect(check({ timeout: null })).toThrow(/^timeout is not an integer/);
  });

  it.each([null, 3, "x", [], ["-l"]])("refuses %j in the place of options", (options) => {
    expect(check(options as object)).toThrow(new TypeError("the options of exec are not an object"));
  });

  it("means the option that any one slip of a longer name was for", () => {
    const names = ["answerTimeout", "killGrace", "overflow", "channels", "waitable"];
    const table: Record<string, typeof unchecked> = Object.fromEntries(
      names.map((name) => [name, unchecked]),
    );
    const slip = fc.tuple(
      fc.constantFrom(...names),
      fc.nat(),
      fc.constantFrom("insert", "remove", "replace"),
    );
    fc.assert(
      fc.property(slip, ([name, at, kind]) => {
        const i = at % name.length;
        const wrong =
          name.slice(0, i) + (kind === "remove" ? "" : "#") + name.slice(kind === "insert" ? i : i + 1);
        const run = () => checkOptions("x", { [wrong]: 1 } as Record<string, unknown>, table);
        expect(run).toThrow(new TypeError(`unknown option "${wrong}" of x; did you mean "${name}"?`));
      }),
    );
  });

  it("compiles only with a table that is complete", () => {
    const options: Options = {};
    // @ts-expect-error the options of Shared are missing
    checkOptions("exec", options, OWN);
    // @ts-expect-error `pty` is no option
    checkOptions("exec", options, SHARED, { ...OWN, pty: unchecked });
    // @ts-expect-error `signal` is missing
    const missing: OptionChecks<Shared> = { nodeid: unchecked };
    expect(missing).toBeDefined();
  });
});
