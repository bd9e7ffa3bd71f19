/**
 * Input credit of a request to several ranks: input goes to all, so the slowest has the say. PROTOCOL.md,
 * "Processes".
 */

interface StreamCredit {
  /** What each rank has granted; a rank that has said nothing has granted 0. */
  granted: Map<number, number>;
  /** What the client was told: the least that a live rank has granted. */
  announced: number;
  /** How many live ranks have granted no more than that: all are looked at again when there is none. */
  slowest: number;
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
    if (!this.#live.has(rank) || bytes === 0) return 0;
    let credit = this.#streams.get(stream);
    if (credit === undefined) {
      credit = { granted: new Map(), announced: 0, slowest: this.#live.size, spent: new Map() };
      this.#streams.set(stream, credit);
    }
    const granted = grantedBy(credit, rank);
    credit.granted.set(rank, granted + bytes);
    return granted === credit.announced ? this.#grow(credit) : 0;
  }

  /**
   * A rank is over and no longer counts.
   * @returns the streams whose credit has grown thereby, with the bytes
   */
  remove(rank: number): Map<string, number> {
    const grown = new Map<string, number>();
    if (!this.#live.delete(rank) || this.#live.size === 0) return grown;
    for (const [stream, credit] of this.#streams) {
      const bytes = grantedBy(credit, rank) === credit.announced ? this.#grow(credit) : 0;
      if (bytes > 0) grown.set(stream, bytes);
    }
    return grown;
  }

  /**
   * Takes note of input, for one rank or for every.
   * @param withheld the part of the credit that the client was not sent
   * @returns whether the client had the credit for it
   */
  spend(stream: string, bytes: number, rank = EVERY_RANK, withheld = 0): boolean {
    const credit = this.#streams.get(stream);
    if (credit === undefined) return bytes === 0;
    const spent = (credit.spent.get(rank) ?? 0) + bytes;
    if (spent > credit.announced - withheld) return false;
    credit.spent.set(rank, spent);
    return true;
  }

  /** One of the slowest is so no longer. @returns the bytes by which the credit for all has grown */
  #grow(credit: StreamCredit): number {
    credit.slowest--;
    if (credit.slowest > 0) return 0;
    const before = credit.announced;
    credit.announced = Number.POSITIVE_INFINITY;
    for (const rank of this.#live) {
      const granted = grantedBy(credit, rank);
      if (granted < credit.announced) {
        credit.announced = granted;
        credit.slowest = 0;
      }
      if (granted === credit.announced) credit.slowest++;
    }
    return credit.announced - before;
  }
}

function grantedBy({ granted }: StreamCredit, rank: number): number {
  return granted.get(rank) ?? 0;
}
