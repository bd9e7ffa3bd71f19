/** The open runs, and the one on display. */
import { BehaviorSubject } from "rxjs";
import { type Display, Run, type RunOptions } from "./run.js";

export class Runs<D extends Display> {
  readonly all$ = new BehaviorSubject<readonly Run<D>[]>([]);
  readonly active$ = new BehaviorSubject<Run<D> | undefined>(undefined);
  /** Bytes of closed runs. */
  #bytes = 0;

  /** Bytes of output so far, of closed runs too. */
  get bytes(): number {
    return this.all$.value.reduce((sum, run) => sum + run.bytes, this.#bytes);
  }

  start(options: RunOptions<D>): Run<D> {
    const run = new Run(options);
    this.all$.next([...this.all$.value, run]);
    this.active$.next(run);
    return run;
  }

  close(run: Run<D>): void {
    const all = this.all$.value;
    const left = all.filter((other) => other !== run);
    if (left.length === all.length) return;
    this.#bytes += run.bytes;
    run.close();
    if (this.active$.value === run) this.active$.next(left[Math.min(all.indexOf(run), left.length - 1)]);
    this.all$.next(left);
  }

  /** @param by 1 for the next run, -1 for the one before */
  step(by: number): void {
    const all = this.all$.value;
    const at = all.indexOf(this.active$.value as Run<D>);
    if (all.length > 0) this.active$.next(all[(at + by + all.length) % all.length]);
  }

  /** The run that has the process. */
  of(rank: number, pid: number): Run<D> | undefined {
    return this.all$.value.find(({ state }) => !state.over && state.ranks.get(rank)?.pid === pid);
  }
}
