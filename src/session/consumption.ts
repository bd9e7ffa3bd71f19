/**
 * What of the output the application has consumed. PROTOCOL.md, "Flow control".
 *
 * Who is given a chunk has consumed it when it returns, unless it, or an operator after it in the same turn, takes hold
 * of it; then when every hold is let go.
 */

/** The chunk that is being given out, if one is. */
let current: Delivery | undefined;

class Delivery {
  /** The one who gives it out has the first hold. */
  #holds = 1;
  readonly #consumed: () => void;

  constructor(consumed: () => void) {
    this.#consumed = consumed;
  }

  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (held) this.release();
      held = false;
    };
  }

  release(): void {
    if (--this.#holds === 0) this.#consumed();
  }
}

/** Gives out a chunk. @param consumed is called once, when nobody has a hold of it any more: at the earliest after `give` */
export function deliver(give: () => void, consumed: () => void): void {
  const outer = current;
  const delivery = new Delivery(consumed);
  current = delivery;
  try {
    give();
  } finally {
    current = outer;
    delivery.release();
  }
}

/** Takes hold of the chunk that is being given out. @returns lets it go; without a chunk there is nothing to let go */
export function hold(): () => void {
  return current?.hold() ?? (() => {});
}
