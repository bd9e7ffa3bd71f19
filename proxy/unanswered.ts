/**
 * Processes of one rank that may run though nobody knows their pid: the answer to their start was lost. Each counts until lists, or
 * answers about a process, leave none that it can be.
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
  /** "" for none. */
  readonly label: string;
  /** argv[0]; undefined if it cannot be read. */
  readonly program: string | undefined;
  /** The broker had read the request by then: whatever is asked later finds its process, if there is one. */
  readonly since: number;
  /** It counts no longer. */
  remove(): void;
}

/** Those of one subject, label and program. Which of them is which process does not matter. */
interface Group {
  readonly label: string;
  readonly name: string | undefined;
  /** Starts that no list has been asked for since. */
  unseen: UnansweredStart[];
  /** The others. Their processes, as far as they run, are among the candidates: there are never more of the former. */
  starts: UnansweredStart[];
  /** Pids. */
  candidates: Set<number>;
}

export class UnansweredStarts {
  readonly #groups = new Map<string, Group>();

  add(start: UnansweredStart): void {
    const { sub, label, program } = start;
    const name = program === undefined ? undefined : nameOf(program);
    const key = JSON.stringify([sub, label, name]);
    const group = this.#groups.get(key) ?? { label, name, unseen: [], starts: [], candidates: new Set() };
    this.#groups.set(key, group);
    group.unseen.push(start);
  }

  /**
   * A list has shown all processes of the rank.
   * @param unknown those that nobody here is known to have started
   * @param asked when the list was asked for
   */
  listed(unknown: readonly ShownProcess[], asked: number): void {
    this.#update((group) => {
      const due = group.unseen.filter(({ since }) => since < asked);
      const isLater = isBefore(group.starts, asked);
      if (due.length === 0 && !isLater) return;
      const shown = new Set(unknown.filter((process) => mayBe(group, process)).map(({ pid }) => pid));
      const left = [...group.candidates].filter((pid) => !isLater || shown.has(pid));
      group.candidates = new Set(due.length === 0 ? left : [...left, ...shown]);
      group.starts.push(...due);
      group.unseen = group.unseen.filter(({ since }) => since >= asked);
    });
  }

  /** A pid is another process's. */
  taken(pid: number): void {
    this.#update(({ candidates }) => candidates.delete(pid));
  }

  /** An answer to what was asked at `asked` says that there is no process of a pid. */
  gone(pid: number, asked: number): void {
    this.#update(({ starts, candidates }) => {
      if (isBefore(starts, asked)) candidates.delete(pid);
    });
  }

  /** An answer to what was asked at `asked` says that there is no process of a label. */
  labelGone(label: string, asked: number): void {
    this.#update((group) => {
      if (group.label !== label) return;
      for (const start of [...group.starts, ...group.unseen]) if (start.since < asked) start.remove();
      group.starts = group.starts.filter(({ since }) => since >= asked);
      group.unseen = group.unseen.filter(({ since }) => since >= asked);
    });
  }

  #update(action: (group: Group) => void): void {
    for (const [key, group] of this.#groups) {
      action(group);
      const { starts, unseen, candidates } = group;
      while (starts.length > candidates.size) starts.pop()?.remove();
      if (starts.length === 0 && unseen.length === 0) this.#groups.delete(key);
    }
  }
}

function mayBe({ label, name }: Group, process: ShownProcess): boolean {
  const { cmd } = process;
  return process.label === label && (name === undefined || typeof cmd !== "string" || nameOf(cmd) === name);
}

/** A list shows argv[0], and of `flux` argv[1] too, which every module that is a process begins with (libsubprocess, process_info). */
function nameOf(program: string): string {
  return program.split(" ", 1)[0]?.split("/").at(-1) ?? "";
}

function isBefore(starts: readonly UnansweredStart[], asked: number): boolean {
  return starts.every(({ since }) => since < asked);
}
