/** Ctrl-C, as flux exec has it. */

/** A Ctrl-C within this time of the last one leaves the command, in milliseconds. */
const WITHIN_MS = 1000;

/** Decides the effect of each Ctrl-C: it is forwarded, unless it follows two others within a second. */
export class Interrupts {
  #count = 0;
  #last = 0;

  /** @returns "leave", "forward", or "warn": forward it, and announce that one more leaves */
  next(now = performance.now()): "forward" | "warn" | "leave" {
    if (this.#count >= 2 && now - this.#last < WITHIN_MS) return "leave";
    this.#last = now;
    this.#count++;
    return this.#count === 1 ? "forward" : "warn";
  }
}
