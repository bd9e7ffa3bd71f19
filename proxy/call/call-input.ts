/** The input of an exec: its credit, and the token's permission. PROTOCOL.md, "Input". */
import { errnoOf } from "../../src/errors.js";
import { CLOSE, malformed, ProtocolError } from "../../src/protocol/protocol-error.js";
import type { ControlMessage } from "../flow/message.js";
import { CreditMeter } from "./credit.js";
import { InputStream } from "./input-stream.js";
import type { RankView } from "./ranks.js";

const EPERM = errnoOf("EPERM");

/** The most input streams that a client may name for one exec. */
const MAX_STREAMS = 1024;

/** The request that takes the input. */
export interface CallInputOptions {
  id: number;
  ranks: readonly number[];
  /** Ranks that are not over. */
  live: RankView;
  /** True if the request takes input. */
  open: boolean;
  /** The reason why the token does not allow input; undefined if it does. */
  refusal: string | undefined;
  emit(message: ControlMessage): void;
}

/** Admits the input of one exec, stream by stream. */
export class CallInput {
  readonly #options: CallInputOptions;
  /** Undefined if the request takes no input. */
  readonly #meter: CreditMeter | undefined;
  readonly #streams = new Map<string, InputStream>();
  /** Defined while the token does not allow input. */
  #refusal: string | undefined;

  constructor(options: CallInputOptions) {
    this.#options = options;
    this.#meter = options.open ? new CreditMeter(options.ranks) : undefined;
    this.#refusal = options.refusal;
  }

  /** RFC 42 add-credit of one rank. */
  grant(rank: number, stream: string, bytes: number): void {
    this.#announce(stream, this.#meter?.grant(rank, stream, bytes) ?? 0);
  }

  /** A rank is over: the credit no longer waits for it. */
  remove(rank: number): void {
    for (const [stream, bytes] of this.#meter?.remove(rank) ?? []) this.#announce(stream, bytes);
  }

  /** The token forbids input from now on. Input that the client sends before it hears so is dropped. */
  forbid(reason: string): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = reason;
    for (const [name, stream] of this.#streams) this.#refuse(name, stream);
  }

  /** The token allows input again. So do refused streams, except those of which some input was dropped. */
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
   * Counts input, for one rank or for all.
   * @returns whether to deliver it
   * @throws ProtocolError if the stream has ended, or there is no credit for the input
   */
  take(name: string, bytes: number, rank?: number): boolean {
    const existing = this.#streams.get(name);
    existing?.mustBeOpen(name, rank);
    if (bytes === 0) return true;
    if (this.#meter?.spend(name, bytes, rank, existing?.withheld) === false) {
      throw new ProtocolError(CLOSE.creditOverrun, `more input on ${name} than there was credit for`);
    }
    const stream = existing ?? this.#stream(name);
    if (this.#refusal === undefined && !stream.dropped) {
      stream.pass(bytes, rank);
      return true;
    }
    this.#refuse(name, stream);
    stream.dropped = true;
    return false;
  }

  /**
   * Ends a stream, for one rank or for all.
   * @returns whether to deliver the end: after dropped input the process would take a part for the whole
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
    const bytes = stream.passedTo(this.#options.live);
    emit({ type: "refused", id, stream: name, bytes, errno: EPERM, message: this.#refusal });
  }

  /** @throws ProtocolError if there are too many */
  #stream(name: string): InputStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      if (this.#streams.size === MAX_STREAMS) {
        throw malformed(`more than ${MAX_STREAMS} input streams`);
      }
      stream = new InputStream();
      this.#streams.set(name, stream);
    }
    return stream;
  }
}
