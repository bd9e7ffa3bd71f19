import { Observable } from "rxjs";
import { Latest } from "./session/latest.js";

/**
 * One request with one answer. Python's counterpart is `flux.rpc.RPC`.
 *
 * As an Observable it emits the answer and completes, or errors with a FluxError. The first subscription or `get()` sends the
 * request, once: all others share its answer. An error is not kept, so `retry()` sends the request again.
 *
 * @typeParam T the answer
 *
 * @example
 * ```ts
 * const rpc = flux.rpc<{ value: string }>("attr.get", { name: "size" });
 * rpc.subscribe(({ value }) => console.log(value)); // 4
 * ```
 */
export class Rpc<T> extends Observable<T> {
  /** @param send sends the request at each subscription */
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

  /** The answer, as a promise. @returns rejects with a FluxError */
  async get(): Promise<T> {
    let answer!: T;
    await this.forEach((value) => {
      answer = value;
    });
    return answer;
  }
}
