/** Processes, as the kernel sees them. */
import { readFileSync } from "node:fs";
import { until } from "../../../support/process.js";

/** The state of a process in /proc, such as "T"; undefined if it does not exist. */
export function state(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.[0];
  } catch {
    return undefined;
  }
}

export const isStopped = (pid: number) => until(() => state(pid) === "T", `process ${pid} is stopped`);
export const runs = (pid: number) => until(() => state(pid) !== "T", `process ${pid} runs`);
