/** What of a session is open, and the ids that it takes. PROTOCOL.md, "Requests". */
import { CLOSE, MAX_ID, ProtocolError } from "../../src/protocol/messages.js";

/** A request that is open. */
interface Entry {
  readonly id: number;
  /** All ids that it takes. */
  readonly ids: Iterable<number>;
}

export class CallTable<Call extends Entry> {
  readonly #calls = new Map<number, Call>();
  readonly #ids = new Set<number>();

  get size(): number {
    return this.#calls.size;
  }

  /** @throws ProtocolError if one of the `count` ids from `first` on is out of range or in use */
  check(first: number, count: number): void {
    const last = first + count - 1;
    if (last > MAX_ID) throw new ProtocolError(CLOSE.malformed, `ids to ${last} are over ${MAX_ID}`);
    for (let id = first; id <= last; id++) {
      if (this.#ids.has(id)) throw new ProtocolError(CLOSE.idInUse, `id ${id} is in use`);
    }
  }

  add(call: Call): void {
    this.#calls.set(call.id, call);
    for (const id of call.ids) this.#ids.add(id);
  }

  remove(call: Call): void {
    this.#calls.delete(call.id);
    for (const id of call.ids) this.#ids.delete(id);
  }

  /**
   * The call with the first id `id`; undefined if it is over.
   * @throws ProtocolError if `id` is not the first of its call
   */
  get(id: number): Call | undefined {
    const call = this.#calls.get(id);
    if (call === undefined && this.#ids.has(id)) {
      throw new ProtocolError(CLOSE.malformed, `id ${id} is not the first of its request`);
    }
    return call;
  }

  all(): Call[] {
    return [...this.#calls.values()];
  }

  clear(): void {
    this.#calls.clear();
    this.#ids.clear();
  }
}
