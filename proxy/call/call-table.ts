/** What of a session is open, and the ids that it takes. PROTOCOL.md, "Requests". */
import { CLOSE, MAX_ID, ProtocolError } from "../../src/protocol/messages.js";

/** A request that is open. */
interface Entry {
  readonly id: number;
  /** How many ids it takes, from {@link id} on. */
  readonly ids: number;
}

export class CallTable<Call extends Entry> {
  readonly #calls = new Map<number, Call>();
  /** In the order of their ids, of which no two have one in common. */
  readonly #ordered: Call[] = [];

  get size(): number {
    return this.#calls.size;
  }

  /** @throws ProtocolError if one of the `count` ids from `first` on is out of range or in use */
  check(first: number, count: number): void {
    const last = first + count - 1;
    if (last > MAX_ID) throw new ProtocolError(CLOSE.malformed, `ids to ${last} are over ${MAX_ID}`);
    const at = this.#after(first);
    const [before, after] = [this.#ordered[at - 1], this.#ordered[at]];
    const used =
      before && first < before.id + before.ids ? first : after && after.id <= last ? after.id : undefined;
    if (used !== undefined) throw new ProtocolError(CLOSE.idInUse, `id ${used} is in use`);
  }

  add(call: Call): void {
    this.#calls.set(call.id, call);
    this.#ordered.splice(this.#after(call.id), 0, call);
  }

  remove(call: Call): void {
    if (this.#calls.delete(call.id)) this.#ordered.splice(this.#after(call.id) - 1, 1);
  }

  /**
   * The call with the first id `id`; undefined if it is over.
   * @throws ProtocolError if `id` is not the first of its call
   */
  get(id: number): Call | undefined {
    const call = this.#calls.get(id);
    const before = this.#ordered[this.#after(id) - 1];
    if (call === undefined && before !== undefined && id < before.id + before.ids) {
      throw new ProtocolError(CLOSE.malformed, `id ${id} is not the first of its request`);
    }
    return call;
  }

  all(): Call[] {
    return [...this.#calls.values()];
  }

  clear(): void {
    this.#calls.clear();
    this.#ordered.length = 0;
  }

  /** The place of the first call with a higher id. */
  #after(id: number): number {
    let [low, high] = [0, this.#ordered.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ordered[middle] as Call).id <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
