/**
 * What of the output the application has consumed. PROTOCOL.md, "Flow control".
 *
 * Who is given a chunk has consumed it when it returns, unless it, or an operator after it in the same turn, takes hold
 * of it; then when every hold is let go.
 */

/** Takes hold of the chunk that is being given out, if one is. */
let current: (() => () => void) | undefined;

/** Gives out a chunk. @param consumed is called once, when nobody has a hold of it any more: at the earliest after `give` */
export function deliver(give: () => void, consumed: () => void): void {
  const outer = current;
  // The one who gives it out has the first hold.
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

/** Takes hold of the chunk that is being given out. @returns lets it go; without a chunk there is nothing to let go */
export function hold(): () => void {
  return current?.() ?? (() => {});
}
