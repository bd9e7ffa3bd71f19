/** The examples of the API reference compile, run to their ends and print what their comments say. */
import { describe, expect, it } from "vitest";
import { compile, docstringExamples, promised } from "./examples.js";
import { startWorld } from "./run-example.js";

const { examples, without } = docstringExamples();

describe("the examples of docstrings", () => {
  it("are there for every public function", () => {
    expect(without).toEqual([]);
    expect(examples.length).toBeGreaterThan(35);
  });

  it("compile", () => {
    expect(compile(examples)).toEqual([]);
  });

  it("would not compile with a wrong name or a wrong type", () => {
    const wrong = [
      { name: "name", code: "console.log(execute);" },
      { name: "type", code: "exec(flux, 7);" },
    ];
    expect(compile(wrong)).toEqual([
      "name: Cannot find name 'execute'.",
      "type: Argument of type 'number' is not assignable to parameter of type 'readonly string[]'.",
    ]);
  });

  it.each(examples)("$name", async ({ code }) => {
    expect(promised(code)).not.toBe("");
    const world = await startWorld();
    try {
      const lines = await world.run(code);
      await expect.poll(() => lines.join(", ")).toBe(promised(code));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(lines.join(", ")).toBe(promised(code));
    } finally {
      await world.close();
    }
  });
});
