/** The ids of a session's open requests. PROTOCOL.md, "Requests". */
import { MAX_ID } from "../../src/protocol/messages.js";
import { CLOSE, malformed, ProtocolError } from "../../src/protocol/protocol-error.js";

/** An open request or watch. */
interface Entry {
  readonly id: number;
  /** The number of ids that it takes, from {@link id} on. */
  readonly ids: number;
}

/** Open requests and watches by their ids. */
export class IdTable<T extends Entry> {
  readonly #byId = new Map<number, T>();
  /** In the order of their ids. No two have an id in common. */
  readonly #ordered: T[] = [];

  get size(): number {
    return this.#byId.size;
  }

  /** @throws ProtocolError if one of the `count` ids from `first` on is out of range or in use */
  check(first: number, count: number): void {
    const last = first + count - 1;
    if (last > MAX_ID) throw malformed(`ids to ${last} are over ${MAX_ID}`);
    const at = this.#after(first);
    const [before, after] = [this.#ordered[at - 1], this.#ordered[at]];
    const used =
      before && first < before.id + before.ids ? first : after && after.id <= last ? after.id : undefined;
    if (used !== undefined) throw new ProtocolError(CLOSE.idInUse, `id ${used} is in use`);
  }

  add(entry: T): void {
    this.#byId.set(entry.id, entry);
    this.#ordered.splice(this.#after(entry.id), 0, entry);
  }

  remove(entry: T): void {
    if (this.#byId.delete(entry.id)) this.#ordered.splice(this.#after(entry.id) - 1, 1);
  }

  /**
   * The request with the first id `id`; undefined if it is over.
   * @throws ProtocolError if `id` is another id of a request
   */
  get(id: number): T | undefined {
    const entry = this.#byId.get(id);
    const before = this.#ordered[this.#after(id) - 1];
    if (entry === undefined && before !== undefined && id < before.id + before.ids) {
      throw malformed(`id ${id} is not the first of its request`);
    }
    return entry;
  }

  /** True if a request is open. */
  has(entry: T): boolean {
    return this.#byId.get(entry.id) === entry;
  }

  all(): T[] {
    return [...this.#byId.values()];
  }

  clear(): void {
    this.#byId.clear();
    this.#ordered.length = 0;
  }

  /** The index of the first request with a higher id. */
  #after(id: number): number {
    let [low, high] = [0, this.#ordered.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ordered[middle] as T).id <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
