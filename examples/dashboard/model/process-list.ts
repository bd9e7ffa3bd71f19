/** The live table, its filter, and the selected process. */
import type { ProcessTable, Subprocess } from "flux-subprocess";
import { BehaviorSubject, combineLatest, map, type Observable, shareReplay } from "rxjs";

export interface Filter {
  /** Must occur in the label, the command, the pid or the title. */
  readonly text: string;
  /** Absent for every rank. */
  readonly ranks?: ReadonlySet<number>;
  /** "R", "Z", or "" for both. */
  readonly state: string;
}

export interface Rows {
  /** False while there is no table, since there is no session. */
  readonly available: boolean;
  /** Every process. */
  readonly all: readonly Subprocess[];
  /** The processes that match the filter. */
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
  #latest: Rows = { available: false, all: [], rows: [], selected: undefined, errors: [] };

  /** @param titleOf the whole command line of a process of this page; the table has its first word only */
  constructor(
    table$: Observable<ProcessTable | undefined>,
    readonly titleOf: (process: Subprocess) => string | undefined,
  ) {
    this.rows$ = combineLatest([table$, this.filter$, this.#selected$]).pipe(
      map(([table, filter, key]) => {
        const { processes, errors } = table ?? NONE;
        const rows = processes.filter((process) => matches(process, filter, titleOf));
        const selected = rows.find((process) => keyOf(process) === key);
        return { available: table !== undefined, all: processes, rows, selected, errors };
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

  /** @param key from `keyOf` */
  choose(key: string | undefined): void {
    this.#selected$.next(key);
  }

  /** Selects the process `by` rows further down. */
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
