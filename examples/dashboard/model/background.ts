import { type Flux, type RexecBgOptions, rexecBg } from "flux-subprocess";
import { catchError, forkJoin, map, type Observable, of } from "rxjs";

/** Starts a process in background on each of some ranks; what became of that, in words. */
export function startInBackground(
  flux: Flux,
  command: readonly string[],
  ranks: readonly number[],
  options: Omit<RexecBgOptions, "nodeid">,
): Observable<{ text: string; bad: boolean }> {
  const starts = ranks.map((rank) =>
    rexecBg(flux, command, { ...options, nodeid: rank }).pipe(
      map(({ pid }) => ({ text: `${rank}: pid ${pid}`, bad: false })),
      catchError((error: Error) => of({ text: `${rank}: ${error.message}`, bad: true })),
    ),
  );
  return forkJoin(starts).pipe(
    map((told) => {
      const failed = told.filter(({ bad }) => bad);
      const shown = failed.length > 0 ? failed : told;
      const some = shown.slice(0, 8).map(({ text }) => text);
      const more = shown.length > some.length ? ` and ${shown.length - some.length} more` : "";
      const what =
        failed.length > 0 ? `not started on ${failed.length} of ${told.length}` : "started in background";
      return { text: `${what}: ${some.join(", ")}${more}`, bad: failed.length > 0 };
    }),
  );
}
