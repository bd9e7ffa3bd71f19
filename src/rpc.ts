import { firstValueFrom, Observable, ReplaySubject, share } from "rxjs";

/**
 * One request, one answer. Python's counterpart is `flux.rpc.RPC`.
 *
 * As an Observable it emits the answer and completes, or errors with a FluxError. The request is sent at the first
 * subscription or `get()`, and once: later ones, and ones that come back after unsubscribing, share its answer. An
 * error is not kept, so that `retry()` sends again.
 */
export class Rpc<T> extends Observable<T> {
  /** @param send sends the request each time it is subscribed to */
  constructor(send: Observable<T>) {
    const shared = send.pipe(
      share({
        connector: () => new ReplaySubject<T>(1),
        resetOnError: true,
        resetOnComplete: false,
        resetOnRefCountZero: false,
      }),
    );
    super((subscriber) => shared.subscribe(subscriber));
  }

  /** The answer. Rejects with a FluxError. */
  get(): Promise<T> {
    return firstValueFrom(this);
  }
}
