/** The data of the plots: once a second, the number of processes and the bytes of output. */
import { interval, map, type Observable, scan, share, startWith } from "rxjs";

export interface Sample {
  /** In milliseconds since 1970. */
  readonly time: number;
  /** Absent while there is no current table. */
  readonly processes?: number;
  /** Bytes of output since the sample before. */
  readonly bytes: number;
}

/** The most samples: those of five minutes. */
const CAPACITY = 300;
const EVERY_MS = 1000;

/** @param read returns the present number of processes and the bytes of output so far */
export function samples(
  read: () => { processes: number | undefined; bytes: number },
): Observable<readonly Sample[]> {
  let before = read().bytes;
  return interval(EVERY_MS).pipe(
    map((): Sample => {
      const { processes, bytes } = read();
      const sample = {
        time: Date.now(),
        bytes: bytes - before,
        ...(processes === undefined ? {} : { processes }),
      };
      before = bytes;
      return sample;
    }),
    scan((all: readonly Sample[], sample) => [...all.slice(1 - CAPACITY), sample], []),
    startWith<readonly Sample[]>([]),
    share(),
  );
}
