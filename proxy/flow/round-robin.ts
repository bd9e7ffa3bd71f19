/** Streams that have something to send, in turns. A stream that the window holds back waits outside until there is room. */
import { Heap, type HeapItem } from "./heap.js";

/** Each item is in order, held, or absent. */
export class RoundRobin<T extends HeapItem> {
  /** In the order of their turns. */
  readonly #ready = new Set<T>();
  /** By the bytes that must be free in the window. */
  readonly #held = new Heap<T>();

  get empty(): boolean {
    return this.#ready.size === 0 && this.#held.length === 0;
  }

  /** The item has something to send, or may have room by now. */
  add(item: T): void {
    if (item.at >= 0) this.#held.remove(item);
    this.#ready.add(item);
  }

  /** The item has nothing to send. */
  remove(item: T): void {
    if (item.at >= 0) this.#held.remove(item);
    this.#ready.delete(item);
  }

  /** @param free bytes in the window @returns the item whose turn it is, which then is the last in order */
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

  /** The item cannot send before `needed` bytes are free. */
  hold(item: T, needed: number): void {
    this.#ready.delete(item);
    item.key = needed;
    this.#held.add(item);
  }
}
