/** Runs the built command line as a shell would. `npm test` builds it first. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const MAIN = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));

/** Running children. A test that fails leaves them behind. */
const running = new Set<ChildProcess>();

// SIGHUP always ends it, together with what its embedded broker runs.
afterAll(() => {
  for (const child of running) child.kill("SIGHUP");
});

/** The environment of the command line, without the variables that it reads, and without colour. */
function cleanEnv(env: Record<string, string>): NodeJS.ProcessEnv {
  const { FLUX_URI: _, FLUX_SUBPROCESS_URL: __, FLUX_SUBPROCESS_TOKEN: ___, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1", ...env };
}

export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

export interface RunningCli {
  child: ChildProcess;
  /** Resolves when stdout has shown `text`. */
  shows(text: string): Promise<void>;
  /** The text of stdout and of stderr so far. */
  output(): string;
  error(): string;
  result: Promise<Result>;
}

/** Starts it. Its stdin stays open unless `stdin` is given. */
export function startCli(
  args: readonly string[],
  { stdin, env = {} }: { stdin?: string | Uint8Array; env?: Record<string, string> } = {},
): RunningCli {
  const child = spawn(process.execPath, [MAIN, ...args], { env: cleanEnv(env), stdio: "pipe" });
  running.add(child);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => stdout.push(data));
  child.stderr.on("data", (data: Buffer) => stderr.push(data));
  // The command need not read its stdin.
  child.stdin.on("error", () => {});
  if (stdin !== undefined) child.stdin.end(stdin);
  const result = once(child, "close").then(([code, signal]) => {
    running.delete(child);
    child.stdin.destroy();
    return { code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
  });
  const shows = async (text: string) => {
    while (!Buffer.concat(stdout).includes(text)) {
      const closed = await Promise.race([once(child.stdout, "data"), result]);
      if (!Array.isArray(closed)) throw new Error(`ended without ${JSON.stringify(text)}: ${closed.stderr}`);
    }
  };
  const output = () => Buffer.concat(stdout).toString();
  return { child, shows, output, error: () => Buffer.concat(stderr).toString(), result };
}

/** Runs it to its end. */
export function cli(...[args, options]: Parameters<typeof startCli>): Promise<Result> {
  return startCli(args, options).result;
}

/** The parts that a test usually needs. */
export async function outcome(
  ...parameters: Parameters<typeof cli>
): Promise<[number | null, string, string]> {
  const { code, stdout, stderr } = await cli(...parameters);
  return [code, stdout.toString(), stderr];
}
