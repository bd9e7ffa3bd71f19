/**
 * Detects that a process has stopped. Node reports only the end of a child, but SIGCHLD comes for stops too, and
 * /proc shows the process that stopped. One listener serves every broker of this Node process, and exists only while processes run.
 */
import { readFileSync } from "node:fs";

interface Watch {
  stopped: boolean;
  onStopped: () => void;
}

const watches = new Map<number, Watch>();

/** Calls `onStopped` each time that `pid` goes from running to stopped, until {@link unwatchStops}. */
export function watchStops(pid: number, onStopped: () => void): void {
  if (watches.size === 0) process.on("SIGCHLD", checkAll);
  const watch = { stopped: false, onStopped };
  watches.set(pid, watch);
  check(pid, watch); // it may have stopped before the listener was there
}

/** Ends {@link watchStops}. */
export function unwatchStops(pid: number): void {
  if (watches.delete(pid) && watches.size === 0) process.off("SIGCHLD", checkAll);
}

/** Records a SIGCONT to `pid`: a stop that follows is a new one, even if one SIGCHLD reports both. */
export function noteContinued(pid: number): void {
  const watch = watches.get(pid);
  if (watch) watch.stopped = false;
}

function checkAll(): void {
  for (const [pid, watch] of watches) check(pid, watch);
}

function check(pid: number, watch: Watch): void {
  const state = processState(pid);
  const stopped = state === "T" || state === "t";
  const changed = stopped && !watch.stopped;
  watch.stopped = stopped;
  if (changed) watch.onStopped();
}

/** proc(5) /proc/PID/stat, the field after the command, which is in parentheses and may contain any. */
function processState(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.charAt(stat.lastIndexOf(")") + 2);
  } catch {
    return undefined; // gone, or no /proc on this system
  }
}
