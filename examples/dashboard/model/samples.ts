/** What the plots are made of: once a second, how many processes there are and how much output has come. */
import { interval, map, type Observable, scan, share, startWith } from "rxjs";

export interface Sample {
  /** In milliseconds since 1970. */
  readonly time: number;
  /** Absent while nobody knows. */
  readonly processes?: number;
  /** Of output, since the sample before. */
  readonly bytes: number;
}

/** Five minutes. */
const KEPT = 300;
const EVERY_MS = 1000;

/** @param read gives the processes that there are now, and all the bytes that have come */
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
    scan((all: readonly Sample[], sample) => [...all.slice(1 - KEPT), sample], []),
    startWith<readonly Sample[]>([]),
    share(),
  );
}
