/** Ctrl-C, as flux exec has it. */

/** How soon after the last Ctrl-C the next one ends us. */
const WITHIN_MS = 1000;

/** Decides what each Ctrl-C does: it is forwarded, until one follows two others within a second. */
export class Interrupts {
  #count = 0;
  #last = 0;

  /** @returns "leave", or "forward", or "warn": forward, and say that one more leaves */
  next(now = performance.now()): "forward" | "warn" | "leave" {
    if (this.#count >= 2 && now - this.#last < WITHIN_MS) return "leave";
    this.#last = now;
    this.#count++;
    return this.#count === 1 ? "forward" : "warn";
  }
}
