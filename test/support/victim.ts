/** A program in a process of its own, so that a test can kill it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Victim {
  /** The program's first line of output. */
  readonly line: string;
  /** Kills the process with SIGKILL and waits until it is gone. Does nothing if it is gone already. */
  kill(): Promise<void>;
}

/** Runs a script (an ES module that may import the built package) and waits for its first line. */
export async function startVictim(script: string): Promise<Victim> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { line, kill: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
