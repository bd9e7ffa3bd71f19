/**
 * wait(2) status values from Node's report of a child's end.
 *
 * Node reports an exit code, or a signal's name. It does not report a core dump, so that bit (0x80) is never
 * set here. For a signal without a name in Node, the real-time signals 34 to 64, it reports code 0 and no signal,
 * as for a success. If this broker itself sent such a signal and the process did not catch, block or ignore it, the
 * signal counts as the cause. A process that dies of a real-time signal from another sender has status 0, because
 * Node does not show the difference.
 */
import { readFileSync } from "node:fs";
import { constants } from "node:os";

const NAMED = new Set<number>(Object.values(constants.signals));

/**
 * The status of a child that Node reported with `code` and `signal`.
 * @param unnamed the result of {@link unnamedCause}, for an end without a code or signal
 */
export function waitStatus(code: number | null, signal: NodeJS.Signals | null, unnamed: number): number {
  if (signal) return constants.signals[signal];
  return code ? (code & 0xff) << 8 : unnamed;
}

/** `signum` if it will kill `pid` and has no name in Node, else 0. Call it before the signal is sent. */
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
