/** The input of an exec: how much of it there may be, and whether there may be any. PROTOCOL.md, "Processes". */
import { errnoOf } from "../../src/errors.js";
import { CLOSE, ProtocolError } from "../../src/protocol/messages.js";
import type { ControlMessage } from "../flow/message.js";
import { CreditMeter } from "./credit.js";

const EPERM = errnoOf("EPERM");

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
  readonly #refusedFromStart: boolean;
  #refusal: string | undefined;
  /** Streams for which there was credit. */
  readonly #granted = new Set<string>();
  /** Streams that the client knows to be refused. */
  readonly #refused = new Set<string>();

  constructor(options: CallInputOptions) {
    this.#options = options;
    this.#meter = options.open ? new CreditMeter(options.ranks) : undefined;
    this.#refusal = options.refusal;
    this.#refusedFromStart = options.refusal !== undefined;
  }

  /** RFC 42 add-credit of one rank. */
  grant(rank: number, stream: string, bytes: number): void {
    this.#announce(stream, this.#meter?.grant(rank, stream, bytes) ?? 0);
  }

  /** A rank is over: it holds the others back no longer. */
  remove(rank: number): void {
    for (const [stream, bytes] of this.#meter?.remove(rank) ?? []) this.#announce(stream, bytes);
  }

  /** The token does not allow input any more. */
  forbid(reason: string): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = reason;
    for (const stream of this.#granted) this.#refuse(stream, reason);
  }

  /**
   * Takes note of input, for one rank or for every.
   * @returns whether it is to be delivered: what was on its way when the token was renewed to allow less is not
   * @throws ProtocolError if there was no credit for it
   */
  take(stream: string, bytes: number, rank?: number): boolean {
    if (bytes === 0) return true;
    const allowed = !this.#refusedFromStart && (this.#meter?.spend(stream, bytes, rank) ?? true);
    if (!allowed) {
      throw new ProtocolError(CLOSE.creditOverrun, `more input on ${stream} than there was credit for`);
    }
    return this.#refusal === undefined;
  }

  #announce(stream: string, bytes: number): void {
    if (bytes <= 0) return;
    this.#granted.add(stream);
    if (this.#refusal !== undefined) this.#refuse(stream, this.#refusal);
    else this.#options.emit({ type: "credit", id: this.#options.id, stream, bytes });
  }

  #refuse(stream: string, message: string): void {
    if (this.#refused.has(stream)) return;
    this.#refused.add(stream);
    this.#options.emit({ type: "refused", id: this.#options.id, stream, errno: EPERM, message });
  }
}
