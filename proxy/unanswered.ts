/**
 * Starts on one rank whose answer was lost: their processes may run, and their pids are unknown. A start counts while a process of
 * a later list may be its process.
 */

/** A process that a list shows. */
export interface ShownProcess {
  readonly pid: number;
  readonly label: string;
  readonly cmd?: unknown;
}

/** A start without an answer. */
export interface UnansweredStart {
  readonly sub: string;
  /** "" if it has no label. */
  readonly label: string;
  /** argv[0]; undefined if the request could not be read. */
  readonly program: string | undefined;
  /** By this time the broker had read the request: later requests find its process if it runs. */
  readonly since: number;
  /** Ends the counting of this start. */
  remove(): void;
}

/** The starts of one subject, label and program. They are interchangeable. */
interface Group {
  readonly label: string;
  readonly name: string | undefined;
  /** Starts that no list covers: none was requested after them. */
  uncovered: UnansweredStart[];
  /** The other starts. Those of their processes that run are candidates, so there are never more starts than candidates. */
  starts: UnansweredStart[];
  /** Pids of processes that may belong to `starts`. */
  candidates: Set<number>;
}

/** The unanswered starts of a service on one rank. */
export class UnansweredStarts {
  readonly #groups = new Map<string, Group>();

  /** Counts a start from now on. */
  add(start: UnansweredStart): void {
    const { sub, label, program } = start;
    const name = program === undefined ? undefined : nameOf(program);
    const key = JSON.stringify([sub, label, name]);
    const group = this.#groups.get(key) ?? { label, name, uncovered: [], starts: [], candidates: new Set() };
    this.#groups.set(key, group);
    group.uncovered.push(start);
  }

  /**
   * A list has shown all processes of the rank.
   * @param unexplained the processes that are not of an answered start of this proxy
   * @param requestedAt the time of the list's request
   */
  listed(unexplained: readonly ShownProcess[], requestedAt: number): void {
    this.#update((group) => {
      const due = group.uncovered.filter(({ since }) => since < requestedAt);
      const isLater = isBefore(group.starts, requestedAt);
      if (due.length === 0 && !isLater) return;
      const shown = new Set(unexplained.filter((process) => mayBe(group, process)).map(({ pid }) => pid));
      const left = [...group.candidates].filter((pid) => !isLater || shown.has(pid));
      group.candidates = new Set(due.length === 0 ? left : [...left, ...shown]);
      group.starts.push(...due);
      group.uncovered = group.uncovered.filter(({ since }) => since >= requestedAt);
    });
  }

  /** A pid belongs to the process of an answered start. */
  taken(pid: number): void {
    this.#update(({ candidates }) => candidates.delete(pid));
  }

  /** An answer shows that no process has a pid. @param requestedAt the time of its request */
  gone(pid: number, requestedAt: number): void {
    this.#update(({ starts, candidates }) => {
      if (isBefore(starts, requestedAt)) candidates.delete(pid);
    });
  }

  /** An answer shows that no process has a label. @param requestedAt the time of its request */
  labelGone(label: string, requestedAt: number): void {
    this.#update((group) => {
      if (group.label !== label) return;
      for (const start of [...group.starts, ...group.uncovered])
        if (start.since < requestedAt) start.remove();
      group.starts = group.starts.filter(({ since }) => since >= requestedAt);
      group.uncovered = group.uncovered.filter(({ since }) => since >= requestedAt);
    });
  }

  #update(action: (group: Group) => void): void {
    for (const [key, group] of this.#groups) {
      action(group);
      const { starts, uncovered, candidates } = group;
      while (starts.length > candidates.size) starts.pop()?.remove();
      if (starts.length === 0 && uncovered.length === 0) this.#groups.delete(key);
    }
  }
}

function mayBe({ label, name }: Group, process: ShownProcess): boolean {
  const { cmd } = process;
  return process.label === label && (name === undefined || typeof cmd !== "string" || nameOf(cmd) === name);
}

/**
 * The file name of argv[0]. A list shows argv[0], and for `flux` argv[1] too, which every module that runs as a process begins with
 * (libsubprocess, process_info).
 */
function nameOf(program: string): string {
  return program.split(" ", 1)[0]?.split("/").at(-1) ?? "";
}

function isBefore(starts: readonly UnansweredStart[], requestedAt: number): boolean {
  return starts.every(({ since }) => since < requestedAt);
}
