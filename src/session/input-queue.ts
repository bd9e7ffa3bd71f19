/** One input stream of an exec: writes wait, in order, until the request is sent and for RFC 42 credit. */
import { FluxError } from "../errors.js";

interface Pending {
  bytes: Uint8Array;
  resolve: () => void;
  reject: (error: FluxError) => void;
}

/** Sends the data of an {@link InputQueue}. */
export interface InputSink {
  /** The maximum of bytes for one `data`. */
  readonly limit: number;
  /** Calls `send` when there is room, in turn with other streams, until it returns false. */
  turn(send: () => boolean): void;
  /** Sends bytes, in a turn. */
  data(bytes: Uint8Array): void;
  /** Sends the end of the stream. */
  eof(): void;
}

/** Holds the writes to one input stream, and sends them as credit allows. */
export class InputQueue {
  readonly #queue: Pending[] = [];
  /** Undefined until the request is sent. */
  #sink: InputSink | undefined;
  #credit = 0;
  /** True while the sink has a `send` of this queue. */
  #inTurn = false;
  /** True after `end`: the end of the stream follows the queue. */
  #ended = false;
  /** True after the end of the stream was sent, or the process ended. */
  #over = false;
  /** Non-null while the proxy refuses input. */
  #refusal: FluxError | undefined;
  #sent = 0;
  /** True if input that was sent may be lost: a stream with a hole takes no more. */
  #lost = false;
  /** Called if input that was sent is lost. Its writes have resolved, so they cannot report it. */
  lost: (error: FluxError) => void = () => {};

  /** The request was sent, so input may follow. */
  open(sink: InputSink): void {
    this.#sink = sink;
    this.#flush();
  }

  /** RFC 42 add-credit: `bytes` more may be sent, also on a stream that was refused before. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    if (!this.#lost) this.#refusal = undefined;
    this.#flush();
  }

  /**
   * Queues bytes.
   * @returns resolves when all of `bytes` is sent, so when the slowest rank has room for it. Rejects with EPIPE if the process ends
   *   first or `end` was called, with EPERM if the token does not allow input
   */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (this.#over || this.#ended) return Promise.reject(noReader());
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, resolve, reject });
      this.#flush();
    });
  }

  /** Ends the stream, after all writes. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flush();
  }

  /**
   * The proxy takes no more input, but the end of the stream.
   * @param passed the bytes that it has passed on before
   */
  refuse(error: FluxError, passed: number): void {
    this.#refusal ??= error;
    this.#lost = passed < this.#sent;
    if (this.#lost) this.lost(this.#refusal);
    for (const { reject } of this.#queue.splice(0)) reject(this.#refusal);
    this.#flush();
  }

  /** The process has ended: rejects the writes that wait. */
  over(): void {
    this.#over = true;
    for (const { reject } of this.#queue.splice(0)) reject(noReader());
  }

  /** True if bytes, or the end of the stream, can be sent now. */
  get #ready(): boolean {
    if (this.#over) return false;
    const next = this.#queue[0];
    return next === undefined ? this.#ended : next.bytes.length === 0 || this.#credit > 0;
  }

  #flush(): void {
    if (this.#sink === undefined || this.#inTurn || !this.#ready) return;
    this.#inTurn = true;
    this.#sink.turn(() => {
      if (this.#ready) this.#send(this.#sink as InputSink);
      this.#inTurn = this.#ready;
      return this.#inTurn;
    });
  }

  #send(sink: InputSink): void {
    const next = this.#queue[0];
    if (next === undefined) {
      this.#over = true;
      sink.eof();
      return;
    }
    const piece = next.bytes.subarray(0, Math.min(this.#credit, sink.limit));
    next.bytes = next.bytes.subarray(piece.length);
    this.#credit -= piece.length;
    this.#sent += piece.length;
    if (piece.length > 0) sink.data(piece);
    if (next.bytes.length > 0) return;
    this.#queue.shift();
    next.resolve();
  }
}

function noReader(): FluxError {
  return new FluxError("EPIPE", "the process does not read this stream any more");
}
