/** A process's standard input or the write side of a channel: a bounded buffer that gives credit as it empties. */
import type { Writable } from "node:stream";
import { FluxError } from "../../src/errors.js";

/** Small enough that credit comes back while a large write drains. */
const PIECE = 64 * 1024;

/** RFC 42 Input Flow Control, the server's side. */
export class Input {
  readonly #stream: Writable;
  readonly #drained: (bytes: number) => void;
  #queue: Uint8Array[] = [];
  /** The free bytes of the buffer. Never negative. */
  #space: number;
  /** True while the stream has a piece that it has not reported as written. */
  #writing = false;
  /** True after `close`: further writes fail, and the stream closes when the queue is empty. */
  #closing = false;

  /**
   * @param size the buffer's size in bytes
   * @param drained receives the number of bytes that have left the buffer for the process
   */
  constructor(
    stream: Writable,
    readonly size: number,
    drained: (bytes: number) => void,
  ) {
    this.#stream = stream;
    this.#space = size;
    this.#drained = drained;
    // EPIPE: the process has closed its end. Bytes that it does not read give no credit.
    stream.on("error", () => {
      this.#queue = [];
    });
  }

  /** @throws FluxError EPIPE after {@link close}, ENOSPC if `bytes` do not fit */
  write(bytes: Uint8Array): void {
    if (this.#closing) throw new FluxError("EPIPE");
    if (bytes.length > this.#space) throw new FluxError("ENOSPC");
    this.#space -= bytes.length;
    if (this.#stream.destroyed) return;
    for (let at = 0; at < bytes.length; at += PIECE) this.#queue.push(bytes.subarray(at, at + PIECE));
    this.#next();
  }

  /** Sends end of file after all earlier writes. A channel then closes in both directions, as in Flux. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#next();
  }

  /** Writes one piece at a time: Node would join several into one write and report them together. */
  #next(): void {
    if (this.#writing) return;
    const piece = this.#queue.shift();
    if (piece) {
      this.#writing = true;
      this.#stream.write(piece, (error) => {
        this.#writing = false;
        if (error) return;
        this.#space += piece.length;
        this.#drained(piece.length);
        this.#next();
      });
    } else if (this.#closing) {
      this.#stream.destroy();
    }
  }
}
