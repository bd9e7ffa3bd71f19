/** The ids of requests. PROTOCOL.md: a request to n ranks takes n of them. */
import { MAX_ID } from "../protocol/messages.js";

/** What has ids: its first one is what it is known by. */
interface Holder {
  readonly ids: number;
}

export class Ids {
  #next = 1;
  #wrapped = false;

  /** The first of `count` free ids. They count up; once they have wrapped, those that are held are stepped over. */
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
