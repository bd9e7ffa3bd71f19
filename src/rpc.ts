import { Observable } from "rxjs";
import { Latest } from "./session/latest.js";

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
    let answer: Latest<T> | undefined;
    super((subscriber) => {
      if (answer) return answer.subscribe(subscriber);
      const shared = new Latest<T>();
      answer = shared;
      const subscription = shared.subscribe(subscriber);
      send.subscribe({
        next: (value) => shared.next(value),
        error: (error) => {
          answer = undefined;
          shared.error(error);
        },
        complete: () => shared.complete(),
      });
      return subscription;
    });
  }

  /** The answer. Rejects with a FluxError. */
  async get(): Promise<T> {
    let answer!: T;
    await this.forEach((value) => {
      answer = value;
    });
    return answer;
  }
}
