/** The input of an exec: how much of it there may be, and whether there may be any. PROTOCOL.md, "Input". */
import { errnoOf } from "../../src/errors.js";
import { CLOSE, ProtocolError } from "../../src/protocol/messages.js";
import type { ControlMessage } from "../flow/message.js";
import { CreditMeter } from "./credit.js";
import { InputStream } from "./input-stream.js";

const EPERM = errnoOf("EPERM");

/** The most input streams that a client may name for one exec. */
const MAX_STREAMS = 1024;

export interface CallInputOptions {
  id: number;
  ranks: readonly number[];
  /** Whether the request takes input. */
  open: boolean;
  /** Why none is taken, if the token does not allow it. */
  refusal: string | undefined;
  emit(message: ControlMessage): void;
}

export class CallInput {
  readonly #options: CallInputOptions;
  readonly #meter: CreditMeter | undefined;
  /** Ranks that are not over. */
  readonly #live: Set<number>;
  readonly #streams = new Map<string, InputStream>();
  #refusal: string | undefined;

  constructor(options: CallInputOptions) {
    this.#options = options;
    this.#meter = options.open ? new CreditMeter(options.ranks) : undefined;
    this.#live = new Set(options.open ? options.ranks : []);
    this.#refusal = options.refusal;
  }

  /** RFC 42 add-credit of one rank. */
  grant(rank: number, stream: string, bytes: number): void {
    this.#announce(stream, this.#meter?.grant(rank, stream, bytes) ?? 0);
  }

  /** A rank is over: it holds the others back no longer. */
  remove(rank: number): void {
    this.#live.delete(rank);
    for (const [stream, bytes] of this.#meter?.remove(rank) ?? []) this.#announce(stream, bytes);
  }

  /** The token does not allow input, or not any more. Input under credit from before is on its way, and is dropped. */
  forbid(reason: string): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = reason;
    for (const [name, stream] of this.#streams) this.#refuse(name, stream);
  }

  /** The token allows input. A stream that was refused takes it again, unless some of it was dropped. */
  allow(): void {
    if (this.#refusal === undefined) return;
    this.#refusal = undefined;
    for (const [name, stream] of this.#streams) {
      if (!stream.refused || stream.dropped) continue;
      stream.refused = false;
      this.#credit(name, stream.release());
    }
  }

  /**
   * Takes note of input, for one rank or for every.
   * @returns whether it is to be delivered
   * @throws ProtocolError if the stream has ended, or there was no credit for it
   */
  take(name: string, bytes: number, rank?: number): boolean {
    const known = this.#streams.get(name);
    known?.mustBeOpen(name, rank);
    if (bytes === 0) return true;
    if (this.#meter?.spend(name, bytes, rank, known?.withheld) === false) {
      throw new ProtocolError(CLOSE.creditOverrun, `more input on ${name} than there was credit for`);
    }
    const stream = known ?? this.#stream(name);
    if (this.#refusal === undefined && !stream.dropped) {
      stream.pass(bytes, rank);
      return true;
    }
    this.#refuse(name, stream);
    stream.dropped = true;
    return false;
  }

  /**
   * Takes note of the end of a stream, for one rank or for every.
   * @returns whether it is to be delivered: after a hole the process would take what it has for the whole
   * @throws ProtocolError if the stream has ended before
   */
  end(name: string, rank?: number): boolean {
    const stream = this.#stream(name);
    stream.mustBeOpen(name, rank);
    stream.end(rank);
    return !stream.dropped;
  }

  #announce(name: string, bytes: number): void {
    if (bytes <= 0) return;
    const stream = this.#stream(name);
    if (this.#refusal === undefined && !stream.dropped) {
      this.#credit(name, bytes);
      return;
    }
    stream.withheld += bytes;
    this.#refuse(name, stream);
  }

  #credit(stream: string, bytes: number): void {
    this.#options.emit({ type: "credit", id: this.#options.id, stream, bytes });
  }

  #refuse(name: string, stream: InputStream): void {
    const { id, emit } = this.#options;
    if (stream.refused || this.#refusal === undefined) return;
    stream.refused = true;
    const bytes = stream.passedTo(this.#live);
    emit({ type: "refused", id, stream: name, bytes, errno: EPERM, message: this.#refusal });
  }

  /** @throws ProtocolError if there are too many */
  #stream(name: string): InputStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      if (this.#streams.size === MAX_STREAMS) {
        throw new ProtocolError(CLOSE.malformed, `more than ${MAX_STREAMS} input streams`);
      }
      stream = new InputStream();
      this.#streams.set(name, stream);
    }
    return stream;
  }
}
