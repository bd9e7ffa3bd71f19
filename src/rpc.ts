import { Observable } from "rxjs";
import { Latest } from "./session/latest.js";

/**
 * One request with one answer, an Observable and a PromiseLike. Python's counterpart is `flux.rpc.RPC`, a Future.
 *
 * As an Observable it emits the answer and completes, or errors with a FluxError. The first `await`, subscription or `get()` sends the
 * request, once: all others share its answer. An error is not kept, so `retry()` sends the request again.
 *
 * @typeParam T the answer
 *
 * @example
 * ```ts
 * const rpc = flux.rpc<{ value: string }>("attr.get", { name: "size" });
 * rpc.subscribe(({ value }) => console.log(value)); // 4
 * const { value } = await rpc;
 * ```
 */
export class Rpc<T> extends Observable<T> implements PromiseLike<T> {
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

  /** The answer, for `await`. Python's counterpart is `Future.then`, whose callback takes the Future. */
  // biome-ignore lint/suspicious/noThenProperty: a call that is awaited must be sent
  then<R = T, E = never>(
    onfulfilled?: ((answer: T) => R | PromiseLike<R>) | null,
    onrejected?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.get().then(onfulfilled, onrejected);
  }
}
