/** A binary heap that knows where its items are, so that any of them can be taken out. */

export interface HeapItem {
  /** Who has the least comes first. It does not change while the item is in the heap. */
  key: number;
  /** Its place in the heap; -1 if it is in none. */
  at: number;
}

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

  /** Takes an item out that is in it. */
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
