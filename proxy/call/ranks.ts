/** The ranks of a call: up to as many as an instance has, so that each costs a few bytes. */
import { malformed } from "../../src/protocol/protocol-error.js";

/** A list of ranks, and the matchtag of each. */
export class RankList {
  /** In ascending order. */
  readonly ranks: readonly number[];
  /** The matchtag of the first rank; the others count on from it. */
  readonly #id: number;

  constructor(ranks: readonly number[], id: number) {
    this.ranks = ranks;
    this.#id = id;
  }

  get size(): number {
    return this.ranks.length;
  }

  /** The index of a rank; -1 if the list does not have it. */
  indexOf(rank: number): number {
    let [low, high] = [0, this.ranks.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.ranks[middle] as number;
      if (found === rank) return middle;
      if (found < rank) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** The matchtag of a rank; undefined if the list does not have it. */
  matchtag(rank: number): number | undefined {
    const index = this.indexOf(rank);
    return index < 0 ? undefined : this.#id + index;
  }

  /** As {@link matchtag}. @throws ProtocolError if the list does not have the rank */
  mustHave(rank: number): number {
    const matchtag = this.matchtag(rank);
    if (matchtag === undefined) throw malformed(`request ${this.#id} is not for rank ${rank}`);
    return matchtag;
  }
}

/** The ranks of a call that have a property at present. Iterates in ascending order, and skips ranks that lose it meanwhile. */
export interface RankView extends Iterable<number> {
  readonly size: number;
  has(rank: number): boolean;
}

/** The ranks of a list that were not deleted. */
export class RankSet implements RankView {
  readonly #list: RankList;
  /** 1 for each rank that was deleted. Undefined before the first. */
  #deleted: Uint8Array | undefined;
  #size: number;

  constructor(list: RankList) {
    this.#list = list;
    this.#size = list.size;
  }

  get size(): number {
    return this.#size;
  }

  has(rank: number): boolean {
    return this.#has(this.#list.indexOf(rank));
  }

  /** @returns whether the set had the rank */
  delete(rank: number): boolean {
    const index = this.#list.indexOf(rank);
    if (!this.#has(index)) return false;
    this.#deleted ??= new Uint8Array(this.#list.size);
    this.#deleted[index] = 1;
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): Generator<number, void, void> {
    for (const [index, rank] of this.#list.ranks.entries()) if (this.#has(index)) yield rank;
  }

  #has(index: number): boolean {
    return index >= 0 && this.#deleted?.[index] !== 1;
  }
}
