/** A program of its own process, so that it can be killed while others go on. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Victim {
  /** The first line that it printed. */
  readonly line: string;
  /** Ends it with SIGKILL and waits until it is gone. Does nothing if it already is. */
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
