/** The live table: what of it is shown, and which process is chosen. */
import type { ProcessTable, Subprocess } from "flux-subprocess";
import { BehaviorSubject, combineLatest, map, type Observable, shareReplay } from "rxjs";

export interface Filter {
  /** In the label, the command, the pid or the title. */
  readonly text: string;
  /** Absent: every rank. */
  readonly ranks?: ReadonlySet<number>;
  /** "R" or "Z"; "": both. */
  readonly state: string;
}

export interface Rows {
  /** Whether anybody knows what runs. */
  readonly known: boolean;
  /** Of every process. */
  readonly all: readonly Subprocess[];
  /** What the filter lets through. */
  readonly rows: readonly Subprocess[];
  readonly selected: Subprocess | undefined;
  readonly errors: ProcessTable["errors"];
}

const NONE: ProcessTable = { processes: [], errors: [] };

export const keyOf = ({ rank, pid }: Subprocess): string => `${rank}-${pid}`;

export class ProcessList {
  readonly filter$ = new BehaviorSubject<Filter>({ text: "", state: "" });
  readonly rows$: Observable<Rows>;
  readonly #selected$ = new BehaviorSubject<string | undefined>(undefined);
  #latest: Rows = { known: false, all: [], rows: [], selected: undefined, errors: [] };

  /** @param titleOf what is known of a process of this page beyond the first word of its command */
  constructor(
    table$: Observable<ProcessTable | undefined>,
    readonly titleOf: (process: Subprocess) => string | undefined,
  ) {
    this.rows$ = combineLatest([table$, this.filter$, this.#selected$]).pipe(
      map(([table, filter, key]) => {
        const { processes, errors } = table ?? NONE;
        const rows = processes.filter((process) => matches(process, filter, titleOf));
        const selected = rows.find((process) => keyOf(process) === key);
        return { known: table !== undefined, all: processes, rows, selected, errors };
      }),
      shareReplay(1),
    );
    this.rows$.subscribe((rows) => {
      this.#latest = rows;
    });
  }

  get selected(): Subprocess | undefined {
    return this.#latest.selected;
  }

  /** @param key as of `keyOf` */
  choose(key: string | undefined): void {
    this.#selected$.next(key);
  }

  /** Chooses another: the next ones, or those before. */
  step(by: number): void {
    const { rows, selected } = this.#latest;
    const at = selected === undefined ? (by > 0 ? -1 : rows.length) : rows.indexOf(selected);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
    this.choose(next && keyOf(next));
  }

  refine(change: Partial<Filter>): void {
    this.filter$.next({ ...this.filter$.value, ...change });
  }
}

function matches(process: Subprocess, filter: Filter, titleOf: ProcessList["titleOf"]): boolean {
  const { rank, pid, state, label, cmd } = process;
  if (filter.state !== "" && state !== filter.state) return false;
  if (filter.ranks !== undefined && !filter.ranks.has(rank)) return false;
  const text = filter.text.toLowerCase();
  return text === "" || `${label} ${cmd} ${pid} ${titleOf(process) ?? ""}`.toLowerCase().includes(text);
}
