/** Starts the process of a unit, as systemd would for sdexec. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { FluxError } from "../../src/errors.js";
import { errorCode } from "../strerror.js";
import type { ServerCommand } from "./command.js";
import { planStreams, type StreamPlan } from "./streams.js";

/** systemd.exec(5), "Process Exit Codes". */
const EXIT_CHDIR = 200;
const EXIT_EXEC = 203;

/** A unit's process that runs. */
export interface Unit {
  child: ChildProcess;
  pid: number;
  plans: readonly StreamPlan[];
}

/**
 * Starts the process of a command.
 * @throws FluxError EINVAL or another code if an option is invalid, ENOENT if the start fails for any reason
 */
export async function launchUnit(
  command: ServerCommand,
  flags: number,
  { background, uri }: { background: boolean; uri: string },
): Promise<Unit> {
  if (command.cmdline[0] === "") {
    throw new FluxError("EINVAL", '"" is neither a valid executable name nor an absolute path');
  }
  const { cwd = homedir() } = command;
  // sdexec has no channels
  const plans = planStreams({ ...command, channels: [] }, flags, 0, { background });
  const child = start(command, { cwd, uri, background, plans });
  const { pid } = child;
  if (pid !== undefined) return { child, pid, plans: plans.filter((plan) => plan.splitter) };
  await new Promise((resolve) => child.once("error", resolve));
  const cause = existsSync(cwd) ? EXIT_EXEC : EXIT_CHDIR;
  throw new FluxError("ENOENT", `unit process could not be started (systemd error ${cause})`);
}

function start(
  { cmdline: [name = "", ...args], env }: ServerCommand,
  { cwd, uri, background, plans }: { cwd: string; uri: string; background: boolean; plans: StreamPlan[] },
): ChildProcess {
  const output = (stream: string) => (plans.some((plan) => plan.name === stream) ? "pipe" : "ignore");
  // systemd refuses other names, and sdexec leaves them out (start.c environment_name_ok)
  const variables = [...env].filter(([key]) => /^[A-Za-z_]\w*$/.test(key));
  try {
    return spawn(name, args, {
      cwd,
      // systemd adds the environment of its instance; this process stands for that instance
      env: { ...process.env, ...Object.fromEntries(variables), FLUX_URI: uri },
      detached: true,
      stdio: [background ? "ignore" : "pipe", output("stdout"), output("stderr")],
    });
  } catch (cause) {
    throw new FluxError(errorCode(cause), undefined, { cause });
  }
}
