/** The code of the documents compiles, and runs to its end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile, markdownExamples } from "./examples.js";
import { startWorld, type World } from "./run-example.js";

/** `make` may be missing where the tests run, and the embedded broker has no jobs. */
const NOT_RUN = /"make"|job\(flux/;

describe.each(["README.md", "docs/from-python.md", "docs/sdexec.md"])("the code of %s", (file) => {
  const examples = markdownExamples(file);
  let world: World;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  it("compiles", { timeout: 120_000 }, () => {
    expect(examples).not.toEqual([]);
    // JavaScript has no type argument for `rpc`.
    expect(compile(examples).filter((fault) => !fault.endsWith("Object is of type 'unknown'."))).toEqual([]);
  });

  // In order: a later block uses the processes of an earlier one.
  it.each(examples.filter(({ code }) => !NOT_RUN.test(code)))("$name", async ({ code }) => {
    await world.run(code);
  });
});
