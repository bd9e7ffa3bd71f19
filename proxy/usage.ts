/**
 * How many processes each subject has, in all sessions of a proxy. A foreground process counts until its rank is
 * over; one in background until an answer shows that it is gone, whoever asked.
 */

/** Of a subject with more than this, no more are counted: it is over any limit already. */
const MAX_COUNTED = 65_536;

/** One process that counts. */
export interface Counted {
  /** It runs. */
  started(pid: number): void;
  /** Nobody will hear any more whether it runs. The next list tells. */
  unknown(): void;
  /** It is over, or never came to be. */
  over(): void;
}

interface Entry {
  /** Only an end that its session was told of ends one in the foreground. */
  background: boolean;
  label: string | undefined;
  pid: number | undefined;
  /** When it was known to be there; a list that was asked for before does not have to show it. */
  since: number;
  remove(): void;
}

export class Usage {
  readonly #bySubject = new Map<string, number>();
  readonly #byPlace = new Map<string, Set<Entry>>();
  #clock = 0;

  count(sub: string): number {
    return this.#bySubject.get(sub) ?? 0;
  }

  /** A point in time, for {@link listed}. */
  now(): number {
    return ++this.#clock;
  }

  /** A process is about to be started. */
  add(sub: string, service: string, rank: number, process: { label?: string; background: boolean }): Counted {
    const count = this.count(sub);
    if (count >= MAX_COUNTED) return { started: () => {}, unknown: () => {}, over: () => {} };
    this.#bySubject.set(sub, count + 1);
    const key = placeOf(service, rank);
    const place = this.#byPlace.get(key) ?? new Set();
    this.#byPlace.set(key, place);
    const entry: Entry = {
      label: process.label,
      background: process.background,
      pid: undefined,
      since: Number.POSITIVE_INFINITY,
      remove: () => {
        if (!place.delete(entry)) return;
        if (place.size === 0 && this.#byPlace.get(key) === place) this.#byPlace.delete(key);
        const left = this.count(sub) - 1;
        if (left === 0) this.#bySubject.delete(sub);
        else this.#bySubject.set(sub, left);
      },
    };
    place.add(entry);
    return {
      started: (pid) => {
        entry.pid = pid;
        entry.since = this.now();
      },
      unknown: () => {
        entry.since = this.now();
      },
      over: entry.remove,
    };
  }

  /** A list that was asked for at `asked` has shown all processes of a rank. */
  listed(
    service: string,
    rank: number,
    processes: readonly { pid: number; label: string }[],
    asked: number,
  ): void {
    const place = this.#byPlace.get(placeOf(service, rank));
    if (place === undefined) return;
    const pids = new Set(processes.map(({ pid }) => pid));
    const labels = new Set(processes.map(({ label }) => label));
    for (const entry of place) {
      const { pid, label = "", since, background } = entry;
      const seen = pid === undefined ? label !== "" && labels.has(label) : pids.has(pid);
      if (background && since < asked && !seen) entry.remove();
    }
  }

  /** An answer to what was asked at `asked` says that a process is gone: of the label if there is one, or pid. */
  gone(service: string, rank: number, { pid, label }: { pid?: number; label?: string }, asked: number): void {
    for (const entry of this.#byPlace.get(placeOf(service, rank)) ?? []) {
      const same = label === undefined ? pid !== undefined && entry.pid === pid : entry.label === label;
      if (entry.background && entry.since < asked && same) entry.remove();
    }
  }
}

const placeOf = (service: string, rank: number) => `${service}\0${rank}`;
