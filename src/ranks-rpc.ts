import { Observable, type Subscriber } from "rxjs";
import { FluxError } from "./errors.js";
import { RankError } from "./rank-error.js";

/** The value of a rank, as every verb on several ranks gives it. */
export interface RankResult {
  /** The broker rank. */
  readonly rank: number;
}

/** The answers of all ranks, from {@link RanksRpc.settle}. Its counterpart is that of `Promise.allSettled`. */
export interface SettledRanks<T> {
  /** The values of the ranks that succeeded, sorted by rank. */
  readonly results: T[];
  /** The errors of the ranks that failed, sorted by rank. */
  readonly errors: FluxError[];
}

/**
 * One request to several ranks with one answer from each, an Observable and a PromiseLike. Python has no counterpart: there it is a loop
 * over ranks, with an RPC for each.
 *
 * As an Observable it emits the value of each rank that succeeds, when it comes. At the end it completes, or errors with a
 * {@link RankError} if a rank has failed. The first `await`, subscription, `get()` or `settle()` sends the request, once: all others
 * share its answers. They are not kept if a rank has failed, so `retry()` sends the request to all ranks again.
 *
 * @typeParam T the value of a rank
 *
 * @example
 * ```ts
 * await rexecBg(flux, ["sleep", "60"], { label: "nap", nodeid: "0-3" });
 * const { results, errors } = await kill(flux, { label: "nap", nodeid: "0-9" }).settle();
 * console.log(results.length, "killed,", errors.length, "failed"); // 4 killed, 6 failed
 * ```
 */
export class RanksRpc<T extends RankResult> extends Observable<T> implements PromiseLike<T[]> {
  readonly #answers: Observable<T | FluxError>;

  /** Not for applications: the verbs make these. */
  constructor(send: never);
  /** @internal @param send sends the request at each subscription, and emits a value or an error for each rank */
  constructor(send: Observable<T | FluxError>);
  constructor(send: Observable<T | FluxError>) {
    const answers = shared(send);
    super((subscriber) => {
      const { results, errors, add } = settled<T>();
      return answers.subscribe({
        next: (answer) => {
          add(answer);
          if (!(answer instanceof FluxError)) subscriber.next(answer);
        },
        error: (error) => subscriber.error(error),
        complete: () => {
          if (errors.length > 0) subscriber.error(new RankError(errors, results.sort(byRank)));
          else subscriber.complete();
        },
      });
    });
    this.#answers = answers;
  }

  /** The values of all ranks, sorted by rank. @returns rejects with a {@link RankError} if a rank has failed */
  async get(): Promise<T[]> {
    const { results, errors } = await this.settle();
    if (errors.length > 0) throw new RankError(errors, results);
    return results;
  }

  /**
   * The values of the ranks that succeeded, and the errors of those that failed.
   *
   * @returns rejects only if no rank was sent the request. If the session is lost later, each rank without an answer is in `errors` with
   *   ECONNRESET, and it is unknown whether the request had its effect there
   */
  async settle(): Promise<SettledRanks<T>> {
    const { results, errors, add } = settled<T>();
    await this.#answers.forEach(add);
    return { results: results.sort(byRank), errors: errors.sort(byRank) };
  }

  /** The values, for `await`: see {@link RanksRpc.get}. */
  // biome-ignore lint/suspicious/noThenProperty: a call that is awaited must be sent
  then<R = T[], E = never>(
    onfulfilled?: ((answers: T[]) => R | PromiseLike<R>) | null,
    onrejected?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.get().then(onfulfilled, onrejected);
  }
}

function settled<T>(): SettledRanks<T> & { add(answer: T | FluxError): void } {
  const results: T[] = [];
  const errors: FluxError[] = [];
  return {
    results,
    errors,
    add: (answer) => void (answer instanceof FluxError ? errors.push(answer) : results.push(answer)),
  };
}

/** Shares the answers of one subscription to `send`, until it has ended with an error or with the error of a rank. */
function shared<T>(send: Observable<T | FluxError>): Observable<T | FluxError> {
  let run: Run<T> | undefined;
  return new Observable((subscriber) => {
    if (run) return run.join(subscriber);
    const begun = new Run<T>();
    run = begun;
    const leave = begun.join(subscriber);
    send.subscribe({
      next: (answer) => begun.next(answer),
      error: (error) => {
        run = undefined;
        begun.end((each) => each.error(error));
      },
      complete: () => {
        if (begun.failed) run = undefined;
        begun.end((each) => each.complete());
      },
    });
    return leave;
  });
}

/** One sending of a request: RxJS's ReplaySubject, without the bytes of that class in a bundle. */
class Run<T> {
  /** True if a rank has failed. */
  failed = false;
  readonly #answers: (T | FluxError)[] = [];
  readonly #subscribers = new Set<Subscriber<T | FluxError>>();
  #over = false;

  /** Emits the answers so far, then each new one. @returns leaves */
  join(subscriber: Subscriber<T | FluxError>): () => void {
    for (const answer of this.#answers) subscriber.next(answer);
    if (this.#over) subscriber.complete();
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  next(answer: T | FluxError): void {
    this.failed ||= answer instanceof FluxError;
    this.#answers.push(answer);
    for (const subscriber of [...this.#subscribers]) subscriber.next(answer);
  }

  end(last: (subscriber: Subscriber<T | FluxError>) => void): void {
    this.#over = true;
    for (const subscriber of [...this.#subscribers]) last(subscriber);
  }
}

type Ranked = { readonly rank?: number | undefined };

function byRank({ rank: a = 0 }: Ranked, { rank: b = 0 }: Ranked): number {
  return a - b;
}
