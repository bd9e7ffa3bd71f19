import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { list } from "../../src/index.js";
import { type Stack, startStack } from "../support/stack.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
let stack: Stack;
let cache: string;

beforeAll(async () => {
  stack = await startStack({ size: 1 });
  cache = await mkdtemp(join(tmpdir(), "flux-subprocess-deno-"));
});

afterAll(async () => {
  await stack?.close();
  await rm(cache, { recursive: true, force: true });
});

/** Runs the example with the command of its first lines. `--cached-only` proves that it downloads nothing: the cache is empty. */
function start(command: readonly string[], { token = stack.token, allow = "127.0.0.1" } = {}) {
  const permissions = [`--allow-net=${allow}`, "--allow-env=FLUX_SUBPROCESS_URL,FLUX_SUBPROCESS_TOKEN"];
  const imports = "--import-map=examples/deno-imports.json";
  const options = ["run", "--cached-only", "--no-prompt", ...permissions, imports];
  return spawn(process.execPath, ["node_modules/deno/bin.cjs", ...options, "examples/deno.mjs", ...command], {
    cwd: root,
    env: {
      ...process.env,
      DENO_DIR: cache,
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      FLUX_SUBPROCESS_URL: stack.url,
      FLUX_SUBPROCESS_TOKEN: token,
    },
  });
}

async function run(
  command: readonly string[],
  input: string | Buffer,
  options?: Parameters<typeof start>[1],
) {
  const child = start(command, options);
  child.stdin.on("error", () => {}).end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { stdout, stderr, code };
}

test("examples/deno.mjs is a filter with the command's exit code", async () => {
  const { stdout, stderr, code } = await run(["sh", "-c", "sort; echo done >&2; exit 3"], "b\na\n");
  expect([stdout.toString(), stderr, code]).toEqual(["a\nb\n", "done\n", 3]);
});

test("examples/deno.mjs passes bytes through unchanged", async () => {
  const input = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * i) >> 3));
  const { stdout, stderr, code } = await run(["cat"], input);
  expect([input.equals(stdout), stderr, code]).toEqual([true, "", 0]);
});

test("examples/deno.mjs prints an error", async () => {
  expect(await run(["/no/such/program"], "")).toMatchObject({
    code: 1,
    stderr: "exec /no/such/program on rank 0: error launching process: No such file or directory (ENOENT)\n",
  });
  expect(await run(["true"], "", { token: "not-a-token" })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("token is not a signed JWT"),
  });
  // Only Deno's own WebSocket needs this permission.
  expect(await run(["true"], "", { allow: "127.0.0.2" })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Requires net access"),
  });
});

test("examples/deno.mjs ends the command when its output is closed", async () => {
  const child = start(["yes"]);
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  await expect.poll(() => list(stack.connect()).getProcesses()).toEqual([]);
});
