/** A table of processes that is asked for again and again. */
import { type Flux, FluxError, list, type Subprocess } from "flux-subprocess";
import {
  catchError,
  exhaustMap,
  filter,
  forkJoin,
  from,
  map,
  type Observable,
  of,
  scan,
  switchMap,
  take,
  timer,
} from "rxjs";

export interface ProcessTable {
  readonly processes: readonly Subprocess[];
  readonly errors: readonly FluxError[];
}

interface WatchOptions {
  nodeid?: "all";
  interval?: number;
}

export function watch(flux: Flux, { interval = 1000 }: WatchOptions = {}): Observable<ProcessTable> {
  return flux.status$.pipe(
    filter((status) => status.state === "open"),
    take(1),
    switchMap(({ size }) =>
      timer(0, interval).pipe(
        exhaustMap(() => forkJoin(Array.from({ length: size }, (_, rank) => answers(flux, rank)))),
      ),
    ),
    scan(
      (previous: ProcessTable, ranks) => {
        const known = new Map(previous.processes.map((process) => [identity(process), process]));
        const processes = ranks
          .flatMap(({ processes }) => processes)
          .map((process) => known.get(identity(process)) ?? process)
          .sort((a, b) => a.rank - b.rank || a.pid - b.pid);
        return { processes, errors: ranks.flatMap(({ errors }) => errors) };
      },
      { processes: [], errors: [] },
    ),
  );
}

const identity = ({ rank, pid, state, label, cmd }: Subprocess) =>
  JSON.stringify([rank, pid, state, label, cmd]);

function answers(flux: Flux, rank: number): Observable<ProcessTable> {
  return from(list(flux, { nodeid: rank }).getProcesses()).pipe(
    map((processes) => ({ processes, errors: [] })),
    catchError((error: FluxError) =>
      of({ processes: [], errors: [new FluxError(error.errno, error.message, { rank })] }),
    ),
  );
}
