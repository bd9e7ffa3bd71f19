/**
 * The processes that a proxy may stop, in all its sessions. A signal to one of them, through any session, reaches the holder
 * that may stop it.
 */
import { rankKey } from "../broker/rank-key.js";

/** A process's names on its rank. */
export interface ProcessName {
  readonly pid?: number | undefined;
  /** Takes precedence over the pid (RFC 42 kill). */
  readonly label?: string | undefined;
}

/** May stop a process, and so must know its user's signals. */
export interface Holder {
  /** The user sends the process a signal. */
  signalled(signum: number): void;
  /** The server has taken or refused the signal. */
  answered(signum: number, taken: boolean): void;
}

/** The holders by their processes. A process has at most one holder: the last that was added. */
export class Brakes {
  readonly #holders = new Map<string, Holder>();

  /** Registers a holder under both names of its process. @returns removes it */
  add(service: string, rank: number, { pid, label }: ProcessName, holder: Holder): () => void {
    const keys = [keyOf(service, rank, { pid })];
    if (label !== undefined) keys.push(keyOf(service, rank, { label }));
    for (const key of keys) this.#holders.set(key, holder);
    return () => {
      for (const key of keys) if (this.#holders.get(key) === holder) this.#holders.delete(key);
    };
  }

  /** A user sends a signal. @returns takes the answer, and ignores all but the first; undefined if the process has no holder */
  signal(
    service: string,
    rank: number,
    process: ProcessName,
    signum: number,
  ): ((taken: boolean) => void) | undefined {
    const holder = this.#holders.get(keyOf(service, rank, process));
    if (holder === undefined) return undefined;
    holder.signalled(signum);
    let open = true;
    return (taken) => {
      if (open) holder.answered(signum, taken);
      open = false;
    };
  }
}

const keyOf = (service: string, rank: number, { pid, label }: ProcessName) =>
  `${rankKey(service, rank)}\0${label === undefined ? pid : `=${label}`}`;
