/** Whose turn it is of those that have something to send: one after the other, but for those that the window holds back. */
import { Heap, type HeapItem } from "./heap.js";

export class Turns<T extends HeapItem> {
  /** In the order of their turns. */
  readonly #ready = new Set<T>();
  /** By what must be free in the window. */
  readonly #held = new Heap<T>();

  get empty(): boolean {
    return this.#ready.size === 0 && this.#held.length === 0;
  }

  /** It has something to send, or may be able to by now. */
  add(item: T): void {
    if (item.at >= 0) this.#held.remove(item);
    this.#ready.add(item);
  }

  /** It has nothing to send. */
  remove(item: T): void {
    if (item.at >= 0) this.#held.remove(item);
    this.#ready.delete(item);
  }

  /** The next one, which then is the last. @param free bytes in the window */
  next(free: number): T | undefined {
    for (let held = this.#held.first; held !== undefined && held.key <= free; held = this.#held.first) {
      this.#held.remove(held);
      this.#ready.add(held);
    }
    const { value: item } = this.#ready.values().next();
    if (item !== undefined) {
      this.#ready.delete(item);
      this.#ready.add(item);
    }
    return item;
  }

  /** It cannot send before `needed` bytes are free. */
  hold(item: T, needed: number): void {
    this.#ready.delete(item);
    item.key = needed;
    this.#held.add(item);
  }
}
