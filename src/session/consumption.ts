/**
 * Output that the application has consumed. PROTOCOL.md, "Flow control".
 *
 * A chunk counts as consumed when the observer's `next` returns, unless an observer or operator called `hold()` during it; then when
 * every hold is released.
 */

/** Holds the chunk that is being delivered; undefined outside of `deliver`. */
let current: (() => () => void) | undefined;

/** Delivers a chunk. @param consumed is called once, when every hold is released: at the earliest after `give` */
export function deliver(give: () => void, consumed: () => void): void {
  const outer = current;
  // The first hold is that of this call.
  let holds = 0;
  current = () => {
    holds++;
    let held = true;
    return () => {
      if (held && --holds === 0) consumed();
      held = false;
    };
  };
  const letGo = current();
  try {
    give();
  } finally {
    current = outer;
    letGo();
  }
}

/** Holds the chunk that is being delivered, if there is one. @returns releases it */
export function hold(): () => void {
  return current?.() ?? (() => {});
}
