/** A session's output that is sent and not consumed. PROTOCOL.md, "Flow control". */
import { OUTPUT_WINDOW } from "../../src/protocol/messages.js";

/**
 * The least bytes that are worth a frame, unless fewer wait. A stream with nothing in the window may send as much even if the
 * window is full, so that no stream starves.
 */
const LEAST = 1024;

/** One session's window: `take` when output is sent, `give` when it is consumed. */
export class Window {
  #free = OUTPUT_WINDOW;

  /** Free bytes. Negative by the bytes that streams have sent while the window was full. */
  get free(): number {
    return this.#free;
  }

  /**
   * @param own bytes of the stream in the window
   * @param waiting bytes of the stream that wait
   * @returns the bytes that it may send in one frame; 0 if it has to wait
   */
  room(own: number, waiting: number): number {
    // After a frame of this size, the stream has no more in the window than is free in it.
    const room = Math.max(Math.floor((this.#free - own) / 2), own === 0 ? LEAST : 0);
    return room < Math.min(waiting, LEAST) ? 0 : Math.min(room, waiting);
  }

  /** The bytes that must be free before a stream that has to wait may send. Parameters as for `room`. */
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
