/** Commands that env(1) starts for `cwd` and `extendEnv`: the token decides on the program, its variables and its directory. */
import { launcherCommand, launcherPath } from "../../../src/protocol/launcher.js";
import { detail, exec, runTrial, signed } from "../requests.js";
import type { Refusal } from "../world.js";

const ENV = launcherPath(0x1234);

/** A command line as the client makes it. */
const launch = (cmdline: string[], { cwd, env = {} }: { cwd?: string; env?: Record<string, string> }) =>
  launcherCommand({ cmdline, cwd, env }, ENV);

type Cmd = Record<string, unknown>;

const pair = (name: string, why: string, fields: object, bad: Cmd, good: Cmd): Refusal[] =>
  [false, true].map((sign) => {
    const claims = detail({ commands: [["true"], ["ls", "**"]], ...fields });
    const attempt = (cmd: Cmd) => async (world: Parameters<Refusal["bad"]>[0]) => {
      const request = exec(cmd);
      return runTrial(world, { claims, request: sign ? await signed(world, request) : request });
    };
    return {
      name: `launcher: ${name}${sign ? ", signed" : ""}`,
      reason: new RegExp(`^1 token does not allow exec: ${why}$`),
      bad: attempt(bad),
      good: attempt(good),
    };
  });

const line = (...cmdline: string[]): Cmd => ({ cmdline });
const tmp = { cwd: ["/tmp*"] };
const inTmp: Cmd = { cmdline: launch(["true"], { cwd: "/tmp" }) };
const withA: Cmd = { cmdline: launch(["true"], { env: { A: "1" } }) };

export const LAUNCHER: Refusal[] = [
  ...pair("another program", "commands", tmp, { cmdline: launch(["id"], { cwd: "/tmp" }) }, inTmp),
  ...pair(
    "another program behind a permitted word",
    "commands",
    tmp,
    { cmdline: launch(["sh", "ls"], { cwd: "/tmp" }) },
    { cmdline: launch(["ls", "sh"], { cwd: "/tmp" }) },
  ),
  ...pair("a directory", "cwd", {}, inTmp, line("true")),
  ...pair("another directory", "cwd", tmp, { cmdline: launch(["true"], { cwd: "/root" }) }, inTmp),
  ...pair(
    "a directory above",
    "cwd",
    { cwd: ["/tmp/*"] },
    { cmdline: launch(["true"], { cwd: "/tmp/../root" }) },
    { cmdline: launch(["true"], { cwd: "/tmp/..x" }) },
  ),
  ...pair(
    "a relative directory",
    "cwd",
    { cwd: ["*"] },
    { cmdline: launch(["true"], { cwd: "tmp" }) },
    inTmp,
  ),
  ...pair("two directories", "commands", tmp, { ...inTmp, cwd: "/tmp/a" }, inTmp),
  ...["LD_PRELOAD", "BASH_ENV", "A"].flatMap((name) =>
    pair(
      `the variable ${name}`,
      "env",
      {},
      { cmdline: launch(["true"], { env: { [name]: "x" } }) },
      line("true"),
    ),
  ),
  ...pair(
    "a variable beside a permitted one",
    "env",
    { env: ["A"] },
    { cmdline: launch(["true"], { env: { A: "1", LD_PRELOAD: "x" } }) },
    withA,
  ),
  ...pair(
    "a variable beside a directory",
    "env",
    { env: ["A"], ...tmp },
    { cmdline: launch(["true"], { cwd: "/tmp", env: { LD_PRELOAD: "x" } }) },
    { cmdline: launch(["true"], { cwd: "/tmp", env: { A: "LD_PRELOAD=x" } }) },
  ),
  ...pair(
    "a variable beside those of the request",
    "env",
    { env: ["A"], ...tmp },
    { ...inTmp, env: { LD_PRELOAD: "x" } },
    { ...inTmp, env: { A: "1" } },
  ),
  // The server looks for the program in its own PATH, env(1) in this one.
  ...pair(
    "another PATH",
    "commands",
    { env: ["*"] },
    { cmdline: launch(["true"], { env: { PATH: "/tmp" } }) },
    { cmdline: launch(["true"], { env: { OTHER_PATH: "/tmp" } }) },
  ),
  ...pair(
    "no PATH",
    "commands",
    { env: ["*"] },
    { cmdline: launch(["true"], { env: { A: "1" } }), env: { B: "1" } },
    { cmdline: launch(["true"], { env: { A: "1" } }) },
  ),
  ...[
    ["env itself", line("/usr/bin/env", "true")],
    ["env with a directory", line("/usr/bin/env", "-C", "/tmp", "--", "true")],
    ["an option of env", line(ENV, "-i", "-C", "/tmp", "--", "true")],
    ["an option of env behind the directory", line(ENV, "-C", "/tmp", "-S", "id", "--", "true")],
    ["an option in the place of --", line(ENV, "-C", "/tmp", "--split-string=id", "true")],
    ["an empty environment", line(ENV, "--", "-", "true")],
    ["a variable without a name", line(ENV, "-C", "/tmp", "--", "=1", "true")],
    ["a program that is a variable", line(ENV, "-C", "/tmp", "--", "true=1")],
    ["another env", line(ENV.replace("/usr", "/tmp"), "-C", "/tmp", "--", "true")],
    ["an env above", line(ENV.replace("/bin", "/../bin"), "-C", "/tmp", "--", "true")],
    ["an env beside", line(`${ENV}2`, "-C", "/tmp", "--", "true")],
  ].flatMap(([name, cmd]) => pair(name as string, "commands", tmp, cmd as Cmd, inTmp)),
];
