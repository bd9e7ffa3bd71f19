import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "../support/stack.js";

const example = fileURLToPath(new URL("../../examples/node.mjs", import.meta.url));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ size: 2 });
});

afterAll(() => stack.close());

/** Runs the example with the built package. */
function run(...command: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, FLUX_SUBPROCESS_URL: stack.url, FLUX_SUBPROCESS_TOKEN: stack.token };
  return promisify(execFile)(process.execPath, [example, ...command], { env });
}

test("examples/node.mjs prints the lines of every rank", async () => {
  const { stdout, stderr } = await run("printf", "one\\ntwo\\n");
  expect(stdout.split("\n").sort()).toEqual(["", "0: one", "0: two", "1: one", "1: two"]);
  expect(stderr).toBe("");
});

test("examples/node.mjs fails if a rank does", async () => {
  await expect(run("false")).rejects.toMatchObject({
    code: 1,
    stderr: "ranks 0-1: process exited with 1\n",
  });
});
