/** The runtimes: the place of each, and its way to run the suite. */
import { type ExecFileOptions, execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Miniflare } from "miniflare";
import { chromium, findFirefox, firefox } from "./browsers.js";
import type { Runtime } from "./runtime.js";
import type { World } from "./suite/context.js";
import type { Result } from "./suite/suite.js";

const own = (path: string) => fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
const common = (path: string) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
const [platform, arch] = [process.platform, process.arch];

/** A user's environment, without the test runner's variables. */
const environment = (dir: string) => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  DENO_DIR: join(dir, ".deno"),
  DENO_NO_UPDATE_CHECK: "1",
});

/** Runs a program, which must end by itself with 0. @returns its output */
async function output(file: string, args: readonly string[], options: ExecFileOptions = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(file, args, { timeout: 120_000, ...options });
  return String(stdout);
}

function missing(path: string, reason = "`npm run runtimes` has not installed it"): string | undefined {
  return existsSync(path) ? undefined : reason;
}

/**
 * A runtime that runs a file as a process.
 * @param programs the consumer's programs, which print "hello"
 * @param more arguments for these programs alone
 */
function command(
  name: string,
  file: string,
  args: readonly string[],
  programs: readonly string[],
  more: readonly string[] = [],
): Runtime {
  const printed = (dir: string, program: string, world: World, flags: readonly string[] = []) =>
    output(file, [...args, ...flags, program, JSON.stringify(world)], { cwd: dir, env: environment(dir) });
  return {
    name,
    programs,
    missing: missing(file),
    version: async () => /\d+\.\d+\.\d+/.exec(await output(file, ["--version"]))?.[0] ?? "",
    async run(dir, world) {
      const results = JSON.parse(await printed(dir, "main.mjs", world)) as Result[];
      for (const program of programs)
        results.push(await says("hello\n", program, printed(dir, program, world, more)));
      return results;
    },
  };
}

async function says(expected: string, name: string, printed: Promise<string>): Promise<Result> {
  const said = await printed.catch(String);
  return said === expected ? { name } : { name, error: said };
}

/** Includes the Node that runs this file. */
function node(major: number): Runtime {
  const same = Number(process.versions.node.split(".")[0]) === major;
  const file = same ? process.execPath : own(`node${major}-${platform}-${arch}/bin/node`);
  return command(`Node ${major}`, file, [], ["client.cjs", "whole.mjs", "whole.cjs"]);
}

/** An ES module needs no permission but that of the network. */
const DENO_ARGS = [
  "run",
  ...["--no-prompt", "--cached-only", "--no-remote", "--no-config", "--node-modules-dir=manual"],
  "--allow-net=127.0.0.1",
];
/** In CommonJS, ws is the WebSocket, and reads these variables. */
const DENO_COMMONJS = ["--allow-env=WS_NO_BUFFER_UTIL,WS_NO_UTF_8_VALIDATE"];
const deno = common(`@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}/deno`);
const bun = own(`@oven/bun-${platform}-${arch === "arm64" ? "aarch64" : arch}/bin/bun`);

const workerd: Runtime = {
  name: "workerd",
  async version() {
    return JSON.parse(await readFile(common("workerd/package.json"), "utf8")).version;
  },
  async run(dir, world) {
    const miniflare = new Miniflare({
      modules: true,
      script: await readFile(join(dir, "worker.bundle.mjs"), "utf8"),
      // Without flags such as nodejs_compat.
      compatibilityDate: "2026-04-01",
      // Otherwise miniflare fetches the data of `request.cf` from Cloudflare.
      cf: false,
    });
    try {
      const body = JSON.stringify(world);
      const response = await miniflare.dispatchFetch("http://worker/", { method: "POST", body });
      if (!response.ok) throw new Error(await response.text());
      return (await response.json()) as Result[];
    } finally {
      await miniflare.dispose();
    }
  },
};

export const runtimes: readonly Runtime[] = [
  node(20),
  node(22),
  node(24),
  command("Deno", deno, DENO_ARGS, ["client.cjs"], DENO_COMMONJS),
  command("Bun", bun, [], ["client.cjs"]),
  workerd,
  chromium,
  firefox(findFirefox()),
];
