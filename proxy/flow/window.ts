/** What of a session's output is sent and not consumed. PROTOCOL.md, "Flow control". */
import { OUTPUT_WINDOW } from "../../src/protocol/messages.js";

/** The least that is worth a frame, unless there is less to send; and what a stream may send that has nothing in the window. */
const LEAST = 1024;

export class Window {
  #free = OUTPUT_WINDOW;

  /** Bytes that are in nobody's hands; below 0 by what streams have sent that had nothing in the window. */
  get free(): number {
    return this.#free;
  }

  /** How many bytes a stream may send at once that has `own` in the window and `waiting` to send; 0 if it has to wait. */
  room(own: number, waiting: number): number {
    // No more in the window, then, than is free in it.
    const room = Math.max(Math.floor((this.#free - own) / 2), own === 0 ? LEAST : 0);
    return room < Math.min(waiting, LEAST) ? 0 : Math.min(room, waiting);
  }

  /** How much must be free before a stream that has to wait may send. */
  needed(own: number, waiting: number): number {
    return own + 2 * Math.min(waiting, LEAST);
  }

  take(bytes: number): void {
    this.#free -= bytes;
  }

  give(bytes: number): void {
    this.#free += bytes;
  }
}
