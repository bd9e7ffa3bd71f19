/** The input credit of a request to several ranks: all get the same input, so the least credit counts. PROTOCOL.md, "Processes". */
import { RankList, RankSet } from "./ranks.js";

interface StreamCredit {
  /** Bytes by rank; a rank without an entry has granted 0. */
  granted: Map<number, number>;
  /** The client's credit: the least that a live rank has granted. */
  announced: number;
  /** At most the number of live ranks that have granted no more than that. At 0, all ranks are counted again. */
  slowest: number;
  /** By rank if the client signs input for each; otherwise under {@link EVERY_RANK}. */
  spent: Map<number, number>;
}

const EVERY_RANK = -1;

/** Combines the credit of all ranks, for each stream. */
export class CreditMeter {
  readonly #live: RankSet;
  readonly #streams = new Map<string, StreamCredit>();

  /** @param ranks in ascending order */
  constructor(ranks: readonly number[]) {
    this.#live = new RankSet(new RankList(ranks, 0));
  }

  /** Counts an RFC 42 add-credit. @returns the bytes by which the client's credit grows */
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
   * @returns the bytes by which the client's credit grows, by stream
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
   * Counts input, for one rank or for all.
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

  /** One rank fewer has granted the least. @returns the bytes by which the client's credit grows */
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
