import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { JOB_DETAILS, JOB_SCOPE } from "../support/rights.js";
import { type Stack, startStack } from "../support/stack.js";

const example = fileURLToPath(new URL("../../examples/jobs.mjs", import.meta.url));
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ size: 1, scope: JOB_SCOPE, details: JOB_DETAILS });
});
afterAll(() => stack.close());

// test/conformance/jobs.ts runs it on a real Flux.
test("examples/jobs.mjs says in words that the embedded broker has no jobs", async () => {
  const env = { ...process.env, FLUX_SUBPROCESS_URL: stack.url, FLUX_SUBPROCESS_TOKEN: stack.token };
  await expect(promisify(execFile)(process.execPath, [example], { env })).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr:
      "job-ingest.submit on rank 0: No service matching job-ingest.submit is registered (ENOSYS). Jobs need a real Flux: this broker has no such service\n",
  });
});
