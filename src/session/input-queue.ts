/** One input stream of an exec: what is written waits, in order, for the request to be sent and for RFC 42 credit. */
import { FluxError } from "../errors.js";

interface Pending {
  bytes: Uint8Array;
  resolve: () => void;
  reject: (error: FluxError) => void;
}

/** Where an {@link InputQueue} puts what it may send. */
export interface InputSink {
  /** The most bytes that `data` takes at once. */
  readonly limit: number;
  /** Calls `send` when there is room, in turn with other streams, until it returns false. */
  turn(send: () => boolean): void;
  data(bytes: Uint8Array): void;
  eof(): void;
}

export class InputQueue {
  readonly #queue: Pending[] = [];
  #sink: InputSink | undefined;
  #credit = 0;
  #inTurn = false;
  #ended = false;
  #over = false;
  #refusal: FluxError | undefined;
  #sent = 0;
  /** Whether input that was sent may be lost: a stream with a hole takes nothing more. */
  #lost = false;
  /** Is told why input that was sent is lost: its writes have resolved. */
  lost: (error: FluxError) => void = () => {};

  /** The request is on its way, so that input may follow it. */
  open(sink: InputSink): void {
    this.#sink = sink;
    this.#flush();
  }

  /** RFC 42 add-credit: `bytes` more may be sent, also where a stream was refused. */
  addCredit(bytes: number): void {
    this.#credit += bytes;
    if (!this.#lost) this.#refusal = undefined;
    this.#flush();
  }

  /**
   * Resolves when all of `bytes` is sent, which is when the slowest rank has room for it.
   * Rejects with EPIPE if the process ends first or the stream has been ended, with EPERM if input is not allowed.
   */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#refusal) return Promise.reject(this.#refusal);
    if (this.#over || this.#ended) return Promise.reject(noReader());
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes, resolve, reject });
      this.#flush();
    });
  }

  /** The end of the input, after all that was written. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flush();
  }

  /**
   * No input is taken; the end of the stream still is.
   * @param passed the bytes that were passed on before
   */
  refuse(error: FluxError, passed: number): void {
    this.#refusal ??= error;
    this.#lost = passed < this.#sent;
    if (this.#lost) this.lost(this.#refusal);
    for (const { reject } of this.#queue.splice(0)) reject(this.#refusal);
    this.#flush();
  }

  /** The process is over: what still waits never reaches it. */
  over(): void {
    this.#over = true;
    for (const { reject } of this.#queue.splice(0)) reject(noReader());
  }

  /** Whether there is something to send. */
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
