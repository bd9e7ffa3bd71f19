/**
 * The number of each subject's processes, in all sessions of a proxy. A process in the foreground counts until its rank is over,
 * one in background until an answer to any session shows that it has ended or never started.
 */
import { type ShownProcess, UnansweredStarts } from "./unanswered.js";

/** The most processes that are counted for a subject: more would be over any limit as well. */
const MAX_COUNTED = 65_536;

/** One process that counts. */
export interface CountedProcess {
  /** It runs. */
  started(pid: number): void;
  /**
   * The answer to its start was lost, so it may run or not. The broker has read the request: later requests find the process if
   * it runs.
   */
  unanswered(): void;
  /** It has ended, or never started. */
  over(): void;
}

/** A process at its start. */
export interface StartedProcess {
  background: boolean;
  label?: string;
  argv?: readonly string[];
}

const UNCOUNTED: CountedProcess = { started: () => {}, unanswered: () => {}, over: () => {} };

/** The processes of a service on one rank. An instance may have 65,536 ranks, so each must cost little. */
interface RankUsage {
  readonly entries: Set<Entry>;
  /** Undefined before the first. */
  unanswered: UnansweredStarts | undefined;
}

/** Counts the processes of all subjects. */
export class Usage {
  readonly #bySubject = new Map<string, number>();
  /** By service and rank. */
  readonly #ranks = new Map<string, Map<number, RankUsage>>();
  #clock = 0;

  /** The number of a subject's processes. */
  count(sub: string): number {
    return this.#bySubject.get(sub) ?? 0;
  }

  /** The next point in time, for {@link listed} and {@link gone}. */
  tick(): number {
    return ++this.#clock;
  }

  /** A process is about to be started. */
  add(sub: string, service: string, rank: number, process: StartedProcess): CountedProcess {
    const count = this.count(sub);
    if (count >= MAX_COUNTED) return UNCOUNTED;
    this.#bySubject.set(sub, count + 1);
    const ranks = this.#ranks.get(service) ?? new Map<number, RankUsage>();
    this.#ranks.set(service, ranks);
    const usage = ranks.get(rank) ?? { entries: new Set(), unanswered: undefined };
    ranks.set(rank, usage);
    return new Entry(this, { sub, service, rank }, process, usage);
  }

  /** An entry was removed from the processes of its rank. */
  removed({ sub, service, rank }: EntryKey): void {
    const left = this.count(sub) - 1;
    if (left === 0) this.#bySubject.delete(sub);
    else this.#bySubject.set(sub, left);
    const ranks = this.#ranks.get(service);
    if (ranks?.get(rank)?.entries.size === 0) ranks.delete(rank);
    if (ranks?.size === 0) this.#ranks.delete(service);
  }

  /** A list has shown all processes of a rank. @param requestedAt the {@link tick} of its request */
  listed(service: string, rank: number, processes: readonly ShownProcess[], requestedAt: number): void {
    const usage = this.#ranks.get(service)?.get(rank);
    if (usage === undefined) return;
    const shown = new Set(processes.map(({ pid }) => pid));
    const pids = new Set<number>();
    for (const entry of usage.entries) {
      const { pid } = entry;
      if (pid === undefined) continue;
      pids.add(pid);
      if (entry.mayHaveEnded(requestedAt) && !shown.has(pid)) entry.over();
    }
    const unexplained = processes.filter(({ pid }) => !pids.has(pid));
    usage.unanswered?.listed(unexplained, requestedAt);
  }

  /**
   * An answer says that no process has this label; without a label, that none has this pid.
   * @param requestedAt the {@link tick} of its request
   */
  gone(
    service: string,
    rank: number,
    { pid, label }: { pid?: number; label?: string },
    requestedAt: number,
  ): void {
    const usage = this.#ranks.get(service)?.get(rank);
    if (usage === undefined) return;
    for (const entry of usage.entries) {
      if (!entry.mayHaveEnded(requestedAt)) continue;
      if (label === undefined ? pid !== undefined && entry.pid === pid : entry.label === label) entry.over();
    }
    if (label !== undefined) usage.unanswered?.labelGone(label, requestedAt);
    else if (pid !== undefined) usage.unanswered?.gone(pid, requestedAt);
  }
}

interface EntryKey {
  readonly sub: string;
  readonly service: string;
  readonly rank: number;
}

class Entry implements CountedProcess {
  pid: number | undefined;
  readonly #all: Usage;
  readonly #key: EntryKey;
  readonly #process: StartedProcess;
  readonly #rank: RankUsage;
  /** The time of the answer to its start. A list that was requested before need not show it. */
  #since = Number.POSITIVE_INFINITY;

  /** Adds itself to the entries of its rank. */
  constructor(all: Usage, key: EntryKey, process: StartedProcess, rank: RankUsage) {
    this.#all = all;
    this.#key = key;
    this.#process = process;
    this.#rank = rank;
    rank.entries.add(this);
  }

  get label(): string | undefined {
    return this.#process.label;
  }

  /**
   * True if it may have ended by the time of a request without notice. A process in the foreground has not: its session gets its end.
   * @param requestedAt the {@link Usage.tick} of the request
   */
  mayHaveEnded(requestedAt: number): boolean {
    return this.#process.background && this.#since < requestedAt;
  }

  started(pid: number): void {
    this.pid = pid;
    this.#since = this.#all.tick();
    this.#rank.unanswered?.taken(pid);
  }

  unanswered(): void {
    if (!this.#rank.entries.has(this)) return;
    const { label = "", argv } = this.#process;
    const { sub } = this.#key;
    this.#rank.unanswered ??= new UnansweredStarts();
    const since = this.#all.tick();
    this.#rank.unanswered.add({ sub, label, program: argv?.[0], since, remove: () => this.over() });
  }

  over(): void {
    if (this.#rank.entries.delete(this)) this.#all.removed(this.#key);
  }
}
