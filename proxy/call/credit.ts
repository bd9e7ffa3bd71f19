/**
 * Input credit of a request to several ranks: input goes to all, so the slowest has the say. PROTOCOL.md,
 * "Processes".
 */

interface StreamCredit {
  /** What each rank has granted; a rank that has said nothing has granted 0. */
  granted: Map<number, number>;
  /** What the client was told: the least that a live rank has granted. */
  announced: number;
  /** By rank, where input is signed for each; else under {@link EVERY_RANK}. */
  spent: Map<number, number>;
}

const EVERY_RANK = -1;

export class CreditMeter {
  readonly #live: Set<number>;
  readonly #streams = new Map<string, StreamCredit>();

  constructor(ranks: Iterable<number>) {
    this.#live = new Set(ranks);
  }

  /** Takes note of an RFC 42 add-credit. @returns the bytes by which the credit for all has grown */
  grant(rank: number, stream: string, bytes: number): number {
    if (!this.#live.has(rank)) return 0;
    let credit = this.#streams.get(stream);
    if (credit === undefined) {
      credit = { granted: new Map(), announced: 0, spent: new Map() };
      this.#streams.set(stream, credit);
    }
    credit.granted.set(rank, (credit.granted.get(rank) ?? 0) + bytes);
    return this.#grow(credit);
  }

  /**
   * A rank is over and no longer counts.
   * @returns the streams whose credit has grown thereby, with the bytes
   */
  remove(rank: number): Map<string, number> {
    const grown = new Map<string, number>();
    if (!this.#live.delete(rank) || this.#live.size === 0) return grown;
    for (const [stream, credit] of this.#streams) {
      const bytes = this.#grow(credit);
      if (bytes > 0) grown.set(stream, bytes);
    }
    return grown;
  }

  /** Takes note of input, for one rank or for every. @returns whether the client had the credit for it */
  spend(stream: string, bytes: number, rank = EVERY_RANK): boolean {
    const credit = this.#streams.get(stream);
    if (credit === undefined) return bytes === 0;
    const spent = (credit.spent.get(rank) ?? 0) + bytes;
    if (spent > credit.announced) return false;
    credit.spent.set(rank, spent);
    return true;
  }

  #grow(credit: StreamCredit): number {
    let least = Number.POSITIVE_INFINITY;
    for (const rank of this.#live) {
      least = Math.min(least, credit.granted.get(rank) ?? 0);
      if (least === credit.announced) return 0;
    }
    const bytes = least - credit.announced;
    credit.announced = least;
    return bytes;
  }
}
