/**
 * wait(2) status values out of what Node tells of a child's end.
 *
 * Node tells an exit code, or a signal's name. It does not tell whether a core was dumped, so that bit (0x80) is never
 * set here. For a signal without a name in Node, the real-time signals 34 to 64, it tells code 0 and no signal,
 * which is what a success looks like. Where this broker itself sent such a signal and the process did not catch,
 * block or ignore it, the signal is taken for the cause. A process that dies of a real-time signal from elsewhere is
 * reported with status 0: nothing in Node says otherwise.
 */
import { readFileSync } from "node:fs";
import { constants } from "node:os";

const NAMED = new Set<number>(Object.values(constants.signals));

/** The status of a child that Node reported with `code` and `signal`. */
export function waitStatus(code: number | null, signal: NodeJS.Signals | null, unnamed: number): number {
  if (signal) return constants.signals[signal];
  return code ? (code & 0xff) << 8 : unnamed;
}

/** `signum` if it will kill `pid` and Node will not be able to say so, else 0. To be asked before it is sent. */
export function unnamedCause(pid: number, signum: number): number {
  if (NAMED.has(signum)) return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const kept = [...status.matchAll(/^Sig(?:Blk|Ign|Cgt):\s*([0-9a-f]+)$/gm)];
    const bit = 1n << BigInt(signum - 1);
    return kept.length === 3 && kept.every(([, mask]) => !(BigInt(`0x${mask}`) & bit)) ? signum : 0;
  } catch {
    return 0;
  }
}
