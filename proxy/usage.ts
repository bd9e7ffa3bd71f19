/**
 * How many processes each subject has, in all sessions of a proxy. A foreground process counts until its rank is
 * over; one in background until an answer shows that it is gone, or that it never came to be, whoever asked.
 */
import { type ShownProcess, UnansweredStarts } from "./unanswered.js";

/** Of a subject with more than this, no more are counted: it is over any limit already. */
const MAX_COUNTED = 65_536;

/** One process that counts. */
export interface Counted {
  /** It runs. */
  started(pid: number): void;
  /**
   * The answer to its start is lost, so that it may run and it may not. The broker has read the request: what is asked from now on
   * finds the process if there is one.
   */
  unanswered(): void;
  /** It is over, or never came to be. */
  over(): void;
}

/** What is to be started. */
export interface StartedProcess {
  background: boolean;
  label?: string;
  argv?: readonly string[];
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

/** A service of a rank. */
interface Place {
  readonly entries: Set<Entry>;
  readonly unanswered: UnansweredStarts;
}

export class Usage {
  readonly #bySubject = new Map<string, number>();
  readonly #byPlace = new Map<string, Place>();
  #clock = 0;

  count(sub: string): number {
    return this.#bySubject.get(sub) ?? 0;
  }

  /** A point in time, for {@link listed}. */
  now(): number {
    return ++this.#clock;
  }

  /** A process is about to be started. */
  add(sub: string, service: string, rank: number, process: StartedProcess): Counted {
    const count = this.count(sub);
    if (count >= MAX_COUNTED) return { started: () => {}, unanswered: () => {}, over: () => {} };
    this.#bySubject.set(sub, count + 1);
    const key = placeOf(service, rank);
    const place = this.#byPlace.get(key) ?? { entries: new Set(), unanswered: new UnansweredStarts() };
    this.#byPlace.set(key, place);
    const { entries, unanswered } = place;
    const entry: Entry = {
      label: process.label,
      background: process.background,
      pid: undefined,
      since: Number.POSITIVE_INFINITY,
      remove: () => {
        if (!entries.delete(entry)) return;
        if (entries.size === 0 && this.#byPlace.get(key) === place) this.#byPlace.delete(key);
        const left = this.count(sub) - 1;
        if (left === 0) this.#bySubject.delete(sub);
        else this.#bySubject.set(sub, left);
      },
    };
    entries.add(entry);
    return {
      started: (pid) => {
        entry.pid = pid;
        entry.since = this.now();
        unanswered.taken(pid);
      },
      unanswered: () => {
        if (!entries.has(entry)) return;
        const { label = "", argv } = process;
        unanswered.add({ sub, label, program: argv?.[0], since: this.now(), remove: entry.remove });
      },
      over: entry.remove,
    };
  }

  /** A list that was asked for at `asked` has shown all processes of a rank. */
  listed(service: string, rank: number, processes: readonly ShownProcess[], asked: number): void {
    const place = this.#byPlace.get(placeOf(service, rank));
    if (place === undefined) return;
    const shown = new Set(processes.map(({ pid }) => pid));
    const known = new Set<number>();
    for (const entry of place.entries) {
      const { pid, since, background } = entry;
      if (pid === undefined) continue;
      known.add(pid);
      if (background && since < asked && !shown.has(pid)) entry.remove();
    }
    const unknown = processes.filter(({ pid }) => !known.has(pid));
    place.unanswered.listed(unknown, asked);
  }

  /** An answer to what was asked at `asked` says that there is no process of a label, or if that is absent of a pid. */
  gone(service: string, rank: number, { pid, label }: { pid?: number; label?: string }, asked: number): void {
    const place = this.#byPlace.get(placeOf(service, rank));
    if (place === undefined) return;
    const { entries, unanswered } = place;
    for (const entry of entries) {
      if (!entry.background || entry.since >= asked) continue;
      if (label === undefined ? pid !== undefined && entry.pid === pid : entry.label === label)
        entry.remove();
    }
    if (label !== undefined) unanswered.labelGone(label, asked);
    else if (pid !== undefined) unanswered.gone(pid, asked);
  }
}

const placeOf = (service: string, rank: number) => `${service}\0${rank}`;
