/** AbortSignals of calls. DOM Standard, "Using AbortController and AbortSignal objects in APIs". */
import { Observable } from "rxjs";

/** Calls `abort` when the signal is aborted, at once if it is already. @returns removes the listener */
export function onAbort(signal: AbortSignal | undefined, abort: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  const listener = () => abort(signal.reason);
  if (signal.aborted) listener();
  else signal.addEventListener("abort", listener);
  return () => signal.removeEventListener("abort", listener);
}

/** Mirrors `source`; errors with the signal's reason when it is aborted, and unsubscribes. */
export function abortable<T>(source: Observable<T>, signal: AbortSignal | undefined): Observable<T> {
  if (signal === undefined) return source;
  return new Observable((subscriber) => {
    subscriber.add(onAbort(signal, (reason) => subscriber.error(reason)));
    if (!subscriber.closed) source.subscribe(subscriber);
  });
}
