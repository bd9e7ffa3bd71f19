/** RxJS's ReplaySubject of one value, without the bytes of that class in a bundle. */
import { Observable, type Subscriber } from "rxjs";

/** Emits the latest value at each subscription, also after the end, then each new one. An error is not replayed. */
export class Latest<T> extends Observable<T> {
  readonly #subscribers = new Set<Subscriber<T>>();
  #latest: { value: T } | undefined;
  #over = false;

  /** Without a value. */
  constructor() {
    super((subscriber) => {
      if (this.#latest) subscriber.next(this.#latest.value);
      if (this.#over) subscriber.complete();
      this.#subscribers.add(subscriber);
      return () => this.#subscribers.delete(subscriber);
    });
  }

  /** Emits `value`. */
  next(value: T): void {
    const latest = { value };
    this.#latest = latest;
    for (const subscriber of [...this.#subscribers]) {
      // A subscriber before this one may have emitted a newer value, which this one has then received.
      if (this.#latest === latest) subscriber.next(value);
    }
  }

  /** Errors for the current subscribers. */
  error(error: unknown): void {
    for (const subscriber of [...this.#subscribers]) subscriber.error(error);
  }

  /** Completes. */
  complete(): void {
    this.#over = true;
    for (const subscriber of [...this.#subscribers]) subscriber.complete();
  }
}
