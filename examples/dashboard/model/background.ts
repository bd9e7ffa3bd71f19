import { type Flux, type FluxError, type RexecBgOptions, rexecBg } from "flux-subprocess";
import { catchError, forkJoin, map, type Observable, of } from "rxjs";

/** The most ranks that the text names. */
const MOST = 8;

/** Starts a process in background on each rank. Emits one text about the results. */
export function startInBackground(
  flux: Flux,
  command: readonly string[],
  ranks: readonly number[],
  options: Omit<RexecBgOptions, "nodeid">,
): Observable<{ text: string; bad: boolean }> {
  const starts = ranks.map((rank) =>
    rexecBg(flux, command, { ...options, nodeid: rank }).pipe(
      map(({ pid }) => ({ text: `${rank}: pid ${pid}`, bad: false })),
      catchError((error: FluxError) => of({ text: `${rank}: ${error.reason}`, bad: true })),
    ),
  );
  return forkJoin(starts).pipe(
    map((results) => {
      const failures = results.filter(({ bad }) => bad);
      const bad = failures.length > 0;
      const all = bad ? failures : results;
      const first = all.slice(0, MOST).map(({ text }) => text);
      const more = all.length > first.length ? ` and ${all.length - first.length} more` : "";
      const summary = bad
        ? `not started on ${failures.length} of ${results.length}`
        : "started in background";
      return { text: `${summary}: ${first.join(", ")}${more}`, bad };
    }),
  );
}
