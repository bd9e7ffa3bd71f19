/** The processes that one session knows of: those that it started, and those that it was shown. */
import { matchesAny } from "./glob.js";

interface Entry {
  label: string | undefined;
  /** Whether the session started it. */
  own: boolean;
  foreground: boolean;
  /** When it was known to run; a list that was asked for before does not have to show it. */
  since?: number;
}

/** A process in the answer to a list. */
export interface LabeledProcess {
  pid: number;
  label: string;
}

/** How many processes are kept in mind. One that is not can be reached by its label. */
const MAX_ENTRIES = 65_536;

export class SessionProcesses {
  readonly #places = new Map<string, Map<number, Entry>>();
  #size = 0;

  isForeground(service: string, rank: number, pid: number): boolean {
    return this.#find(service, rank, pid)?.foreground ?? false;
  }

  labelOf(service: string, rank: number, pid: number): string | undefined {
    return this.#find(service, rank, pid)?.label;
  }

  /** The session has started a process. */
  started(service: string, rank: number, pid: number, process: Omit<Entry, "own">): void {
    this.#remember(service, rank, pid, { ...process, own: true });
  }

  /** A process is known to be over. */
  gone(service: string, rank: number, pid: number): void {
    if (this.#places.get(placeOf(service, rank))?.delete(pid)) this.#size--;
  }

  /**
   * What a list of all processes of a rank shows to who may see some labels and the session's own. It replaces
   * what was known: a pid may be another process's by now.
   * @param labels globs; undefined if all may be seen
   * @param asked when the list was asked for
   */
  listed<T extends LabeledProcess>(
    service: string,
    rank: number,
    processes: readonly T[],
    labels: readonly string[] | undefined,
    asked = Number.POSITIVE_INFINITY,
  ): T[] {
    const before = this.#places.get(placeOf(service, rank)) ?? new Map<number, Entry>();
    this.#size -= before.size;
    this.#places.delete(placeOf(service, rank));
    const found = new Map(processes.map((process) => [process.pid, process]));
    for (const [pid, entry] of before) {
      const { own, label = "", since = 0 } = entry;
      const same = own && (since > asked || found.get(pid)?.label === label);
      // A process in the foreground is over when its exec is, and not before.
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
    return this.#places.get(placeOf(service, rank))?.get(pid);
  }

  #remember(service: string, rank: number, pid: number, entry: Entry): void {
    if (this.#size >= MAX_ENTRIES) return;
    const key = placeOf(service, rank);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = new Map();
      this.#places.set(key, place);
    }
    if (!place.has(pid)) this.#size++;
    place.set(pid, entry);
  }
}

/** No topic has a NUL. */
const placeOf = (service: string, rank: number) => `${service}\0${rank}`;
