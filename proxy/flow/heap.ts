/** A binary heap whose items know their index, so that any of them can be removed. */

/** The fields that a heap needs. `at` belongs to the heap. */
export interface HeapItem {
  /** The item with the least key comes first. Does not change while the item is in a heap. */
  key: number;
  /** The index in its heap; -1 outside of one. */
  at: number;
}

/** A heap of items, each in at most one heap. */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];

  get length(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  /** @param item must be in the heap */
  remove(item: T): void {
    const at = item.at;
    item.at = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#up(last, at);
    this.#down(last, last.at);
  }

  #up(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const parent = this.#items[(at - 1) >> 1] as T;
      if (parent.key <= item.key) break;
      this.#put(parent, at);
      at = (at - 1) >> 1;
    }
    this.#put(item, at);
  }

  #down(item: T, from: number): void {
    let at = from;
    for (;;) {
      const [left, right] = [this.#items[2 * at + 1], this.#items[2 * at + 2]];
      const child = right !== undefined && left !== undefined && right.key < left.key ? right : left;
      if (child === undefined || child.key >= item.key) break;
      const next = child.at;
      this.#put(child, at);
      at = next;
    }
    this.#put(item, at);
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.at = at;
  }
}
