/** The processes that one session may name by pid: those that it started, and those that a list has shown it. */
import { rankKey } from "../broker/rank-key.js";
import { matchesAny } from "./glob.js";

interface Entry {
  label: string | undefined;
  /** True if the session started it. */
  own: boolean;
  foreground: boolean;
  /** The time of its start. A list that was requested before need not show it. */
  since?: number;
}

/** A process in the answer to a list. */
export interface LabeledProcess {
  pid: number;
  label: string;
}

/** The most processes that a session remembers. Any other can be named by its label. */
const MAX_ENTRIES = 65_536;

/** Remembers processes by service, rank and pid. */
export class SessionProcesses {
  readonly #byRank = new Map<string, Map<number, Entry>>();
  #size = 0;

  /** True if the session runs this process in the foreground. */
  isForeground(service: string, rank: number, pid: number): boolean {
    return this.#find(service, rank, pid)?.foreground ?? false;
  }

  /** The label of a process; undefined if it has none, or the session does not know the process. */
  labelOf(service: string, rank: number, pid: number): string | undefined {
    return this.#find(service, rank, pid)?.label;
  }

  /** The session has started a process. */
  started(service: string, rank: number, pid: number, process: Omit<Entry, "own">): void {
    this.#remember(service, rank, pid, { ...process, own: true });
  }

  /** A process has ended. */
  gone(service: string, rank: number, pid: number): void {
    if (this.#byRank.get(rankKey(service, rank))?.delete(pid)) this.#size--;
  }

  /**
   * Takes the list of all processes of a rank. It replaces what the session remembers of the rank, since a pid may be another
   * process's by now.
   * @param labels globs of the labels that the session may see; undefined if it may see all
   * @param requestedAt the time at which the list was requested
   * @returns the processes with these labels, and the session's own
   */
  listed<T extends LabeledProcess>(
    service: string,
    rank: number,
    processes: readonly T[],
    labels: readonly string[] | undefined,
    requestedAt = Number.POSITIVE_INFINITY,
  ): T[] {
    const key = rankKey(service, rank);
    const before = this.#byRank.get(key) ?? new Map<number, Entry>();
    this.#size -= before.size;
    this.#byRank.delete(key);
    const found = new Map(processes.map((process) => [process.pid, process]));
    for (const [pid, entry] of before) {
      const { own, label = "", since = 0 } = entry;
      const same = own && (since > requestedAt || found.get(pid)?.label === label);
      // The end of a process in the foreground is the end of its exec.
      if (same || entry.foreground) this.#remember(service, rank, pid, entry);
    }
    return processes.filter(({ pid, label }) => {
      if (this.#find(service, rank, pid)?.own) return true;
      if (labels !== undefined && (label === "" || !matchesAny(labels, label))) return false;
      if (label !== "") this.#remember(service, rank, pid, { label, own: false, foreground: false });
      return true;
    });
  }

  #find(service: string, rank: number, pid: number): Entry | undefined {
    return this.#byRank.get(rankKey(service, rank))?.get(pid);
  }

  #remember(service: string, rank: number, pid: number, entry: Entry): void {
    if (this.#size >= MAX_ENTRIES) return;
    const key = rankKey(service, rank);
    let byPid = this.#byRank.get(key);
    if (byPid === undefined) {
      byPid = new Map();
      this.#byRank.set(key, byPid);
    }
    if (!byPid.has(pid)) this.#size++;
    byPid.set(pid, entry);
  }
}
