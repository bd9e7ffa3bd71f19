/** Observables in templates. */
import { noChange } from "lit-html";
import { AsyncDirective, directive } from "lit-html/async-directive.js";
import type { Observable, Subscription } from "rxjs";

type Render<T> = (value: T) => unknown;

class Observe extends AsyncDirective {
  #source: Observable<unknown> | undefined;
  #render: Render<unknown> = (value) => value;
  #subscription: Subscription | undefined;

  override render<T>(_source: Observable<T>, _render?: Render<T>): unknown {
    return noChange;
  }

  override update(_part: unknown, [source, render]: [Observable<unknown>, Render<unknown>?]): unknown {
    if (render) this.#render = render;
    if (source === this.#source) return noChange;
    this.#source = source;
    return this.#subscribe();
  }

  override disconnected(): void {
    this.#subscription?.unsubscribe();
  }

  override reconnected(): void {
    this.setValue(this.#subscribe());
  }

  /** @returns the value that the source emits at once: within an update a directive must return its value, and may not set it */
  #subscribe(): unknown {
    this.#subscription?.unsubscribe();
    let first: unknown = noChange;
    let updating = true;
    this.#subscription = this.#source?.subscribe((value) => {
      const rendered = this.#render(value);
      if (updating) first = rendered;
      else this.setValue(rendered);
    });
    updating = false;
    return first;
  }
}

/** Renders each value of an Observable. Subscribed only while the template's part is in the document. */
export const observe = directive(Observe) as <T>(source: Observable<T>, render?: Render<T>) => unknown;
