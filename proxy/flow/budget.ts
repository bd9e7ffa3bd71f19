/** Limits on amounts in use, in a session, a subject or the whole proxy. */

/** An amount of something that may be in use at a time. */
export class Budget {
  /** Says the limit in words, for the one who has reached it. */
  readonly rule: string;
  readonly #limit: number;
  readonly #above: Budget | undefined;
  #used = 0;
  #closed = false;

  /**
   * @param rule the limit in words, such as "a session may have 4 attaches open"
   * @param above a budget from which each amount is taken as well
   */
  constructor(rule: string, limit: number, above?: Budget) {
    this.rule = rule;
    this.#limit = limit;
    this.#above = above;
  }

  /** Takes `amount`. @returns the rule that does not allow it, in which case nothing is taken, as after {@link close} */
  take(amount: number): string | undefined {
    // An amount that is taken after the end would never be given back.
    if (this.#closed) return this.rule;
    if (this.#used + amount > this.#limit) return this.rule;
    const refusal = this.#above?.take(amount);
    if (refusal === undefined) this.#used += amount;
    return refusal;
  }

  /** Gives back `amount` of what was taken. */
  give(amount: number): void {
    if (this.#closed) return;
    this.#used -= amount;
    this.#above?.give(amount);
  }

  /** Gives back all, for good. */
  close(): void {
    this.give(this.#used);
    this.#closed = true;
  }
}
