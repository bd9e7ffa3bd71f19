/**
 * The processes that a proxy may stop, in all its sessions: a signal to one of them, through whichever session it goes,
 * is seen by who holds it.
 */

/** What a process is known by, on its rank. */
export interface ProcessName {
  readonly pid?: number | undefined;
  /** Counts if there is one, and not the pid (RFC 42 kill). */
  readonly label?: string | undefined;
}

/** Who may stop a process. */
export interface Holder {
  /** Its user sends it a signal. */
  signalled(signum: number): void;
  /** The signal was taken, or refused. */
  answered(signum: number, taken: boolean): void;
}

export class Brakes {
  readonly #holders = new Map<string, Holder>();

  /** Somebody may stop a process, by either of its names. @returns ends that */
  add(service: string, rank: number, { pid, label }: ProcessName, holder: Holder): () => void {
    const keys = [keyOf(service, rank, { pid })];
    if (label !== undefined) keys.push(keyOf(service, rank, { label }));
    for (const key of keys) this.#holders.set(key, holder);
    return () => {
      for (const key of keys) if (this.#holders.get(key) === holder) this.#holders.delete(key);
    };
  }

  /** A process is sent a signal. @returns takes the answer to it, once; undefined if nobody may stop the process */
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

/** No topic has a NUL, and so no service. */
const keyOf = (service: string, rank: number, { pid, label }: ProcessName) =>
  `${service}\0${rank}\0${label === undefined ? pid : `=${label}`}`;
