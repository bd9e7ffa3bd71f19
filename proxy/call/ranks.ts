/** The ranks of a call. There may be as many as an instance has, so that each costs a few bytes. */

export class RankList {
  /** In ascending order. */
  readonly ranks: readonly number[];
  /** The matchtag of the first; the others count on from it. */
  readonly #id: number;

  constructor(ranks: readonly number[], id: number) {
    this.ranks = ranks;
    this.#id = id;
  }

  get size(): number {
    return this.ranks.length;
  }

  /** The place of a rank; -1 if it is not there. */
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

  /** The matchtag of a rank; undefined if it is not there. */
  matchtag(rank: number): number | undefined {
    const index = this.indexOf(rank);
    return index < 0 ? undefined : this.#id + index;
  }
}

/** Those of a list that have not been taken out; all at first. */
export class RankSet {
  readonly #list: RankList;
  /** 1 for each that was taken out. Absent before the first. */
  #out: Uint8Array | undefined;
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

  /** @returns whether it was there */
  delete(rank: number): boolean {
    const index = this.#list.indexOf(rank);
    if (!this.#has(index)) return false;
    this.#out ??= new Uint8Array(this.#list.size);
    this.#out[index] = 1;
    this.#size--;
    return true;
  }

  /** In ascending order. What is taken out meanwhile does not come. */
  *[Symbol.iterator](): Generator<number, void, void> {
    for (const [index, rank] of this.#list.ranks.entries()) if (this.#has(index)) yield rank;
  }

  #has(index: number): boolean {
    return index >= 0 && this.#out?.[index] !== 1;
  }
}
