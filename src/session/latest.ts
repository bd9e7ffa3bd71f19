/** The latest value for whoever subscribes, also after the end: a ReplaySubject of one value, without what that brings along. */
import { Observable, type Subscriber } from "rxjs";

export class Latest<T> extends Observable<T> {
  readonly #subscribers = new Set<Subscriber<T>>();
  #latest: { value: T } | undefined;
  #over = false;

  constructor() {
    super((subscriber) => {
      if (this.#latest) subscriber.next(this.#latest.value);
      if (this.#over) subscriber.complete();
      this.#subscribers.add(subscriber);
      return () => this.#subscribers.delete(subscriber);
    });
  }

  next(value: T): void {
    const latest = { value };
    this.#latest = latest;
    for (const subscriber of [...this.#subscribers]) {
      // Who was told before may have made it change again, and the others know by now.
      if (this.#latest === latest) subscriber.next(value);
    }
  }

  error(error: unknown): void {
    for (const subscriber of [...this.#subscribers]) subscriber.error(error);
  }

  complete(): void {
    this.#over = true;
    for (const subscriber of [...this.#subscribers]) subscriber.complete();
  }
}
