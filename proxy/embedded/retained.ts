/** The latest output of a waitable process, for its wait response. */
import type { IoObject } from "../../src/protocol/rfc42.js";

/** server.c RETAINED_OUTPUT_MAX */
const LIMIT = 8192;

/** Keeps the newest I/O objects within the limit, and always at least one. */
export class RetainedOutput {
  readonly #entries: { io: IoObject; size: number }[] = [];
  #size = 0;

  /** @param size the bytes of `io` before it was encoded */
  add(io: IoObject, size: number): void {
    this.#entries.push({ io, size });
    this.#size += size;
    while (this.#size > LIMIT && this.#entries.length > 1) this.#size -= this.#entries.shift()?.size ?? 0;
  }

  get output(): IoObject[] {
    return this.#entries.map((entry) => entry.io);
  }
}
