/** The names of an instance's hosts. They are shown only where they tell ranks apart. */
import { type Flux, hosts } from "flux-subprocess";
import {
  catchError,
  distinctUntilChanged,
  filter,
  map,
  type Observable,
  of,
  startWith,
  switchMap,
} from "rxjs";

/** The name of each rank's host; empty where they are not known, or all the same. */
export type HostNames = ReadonlyMap<number, string>;

const NONE: HostNames = new Map();

/** The names, again for each session: a new one may be of another instance. A token that does not allow them shows ranks alone. */
export function hostNames(flux: Flux): Observable<HostNames> {
  return flux.status$.pipe(
    filter((status) => status.state === "open"),
    map(({ session }) => session),
    distinctUntilChanged(),
    switchMap(() => hosts(flux).pipe(catchError(() => of(NONE)))),
    map((names) => (new Set(names.values()).size > 1 ? names : NONE)),
    startWith(NONE),
  );
}

/** "rank 3 (node3)", or "rank 3" where its host has no name. */
export function placeOf(rank: number, names: HostNames): string {
  const host = names.get(rank);
  return host === undefined ? `rank ${rank}` : `rank ${rank} (${host})`;
}
