/** The ids of requests. PROTOCOL.md: a request to n ranks takes n of them. */
import { MAX_ID } from "../protocol/messages.js";

/** A request with consecutive ids. It is registered under the first. */
interface Holder {
  /** The number of ids. */
  readonly ids: number;
}

/** Chooses the ids of requests. */
export class Ids {
  #next = 1;
  /** True after the ids have started again at 1: only then can an id be in use. */
  #wrapped = false;

  /** Claims `count` consecutive ids that no request holds. @returns the first */
  claim(count: number, held: ReadonlyMap<number, Holder>): number {
    let id = this.#next;
    for (;;) {
      if (id + count - 1 > MAX_ID) {
        id = 1;
        this.#wrapped = true;
      }
      const after = this.#wrapped ? endOfOverlap(id, count, held) : undefined;
      if (after === undefined) break;
      id = after;
    }
    this.#next = id + count;
    return id;
  }
}

function endOfOverlap(id: number, count: number, held: ReadonlyMap<number, Holder>): number | undefined {
  for (const [first, { ids }] of held) {
    if (first < id + count && id < first + ids) return first + ids;
  }
  return undefined;
}
