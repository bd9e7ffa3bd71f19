/** One request of a session: what each rank still owes, and the input streams that it has. */
import { FluxError } from "../errors.js";
import type { DataFrame } from "../protocol/frame.js";
import { decodeIdset } from "../protocol/idset.js";
import {
  CLOSE,
  type Gap,
  type Nodeid,
  type OutputEof,
  type Overflow,
  ProtocolError,
  type RankEnd,
  type Response,
  type Responsiveness,
  type SequencedServerMessage,
} from "../protocol/messages.js";
import { InputQueue, type InputSink } from "./input-queue.js";

/** A request (RFC 6) before it has an id. */
export interface CallRequest {
  topic: string;
  nodeid: Nodeid;
  streaming: boolean;
  payload: Record<string, unknown>;
  /** Whether it is to be signed (RFC 42 Request Authentication). Absent: if the owner is another user. */
  sign?: boolean | undefined;
  /** What becomes of output that is not taken in time. Absent: "stop" for an exec, "gap" for an attach. */
  overflow?: Overflow | undefined;
  /** How long a rank may take for its first answer, in milliseconds. Absent: for ever. */
  timeout?: number | undefined;
}

/** What the ranks of a request send. `end` and `error` are the last of a rank. */
export type RankMessage = Response | OutputEof | Gap | Responsiveness | DataFrame | RankEnd | RankFailure;

/** The request failed on one rank. */
export interface RankFailure {
  type: "error";
  rank: number;
  error: FluxError;
}

/** Is told what the ranks send; `error` and `complete` are last. `error` means that the session was lost. */
export interface CallObserver {
  next(message: RankMessage): void;
  error(error: FluxError): void;
  complete(): void;
}

/** Signs calls and sends them, once the session is open. */
export interface CallSigner {
  /** Is told the proxy's clock, in milliseconds since 1970, each time: ours may have stood still with the machine. */
  welcomed(time: number): void;
  /** @throws FluxError EPERM if the signer is of another user */
  send(call: ClientCall, ranks: readonly number[], id: number, failed: (error: FluxError) => void): void;
  /** Takes what the proxy has sent for a call that was sent, after the call has. */
  answered(call: ClientCall, message: SequencedServerMessage): void;
}

export class ClientCall {
  readonly request: CallRequest;
  /** The first of its ids on the session; undefined until it is sent. */
  id: number | undefined;
  /** How many ids it has: one a rank. */
  ids = 0;
  /** Whether every rank has had its last message, or the session was lost. The observer may still be told of it. */
  over = false;
  /** Who has signed it, where that was the client. */
  signer: CallSigner | undefined;
  readonly #observer: CallObserver;
  readonly #inputs = new Map<string, InputQueue>();
  #waiting: Set<number> | undefined;
  #sink: ((stream: string) => InputSink) | undefined;

  constructor(request: CallRequest, observer: CallObserver) {
    this.request = request;
    this.#observer = observer;
  }

  /** The request is sent to `ranks`. */
  sent(ranks: readonly number[], id: number, sink: (stream: string) => InputSink): void {
    this.id = id;
    this.#waiting = new Set(ranks);
    this.#sink = sink;
    for (const [stream, writer] of this.#inputs) writer.open(sink(stream));
  }

  /** Whether `rank` has not had its last message. */
  owes(rank: number): boolean {
    return this.#waiting?.has(rank) ?? false;
  }

  /** The writer of an input stream. */
  input(stream: string): InputQueue {
    let writer = this.#inputs.get(stream);
    if (writer === undefined) {
      writer = new InputQueue();
      this.#inputs.set(stream, writer);
      if (this.#sink) writer.open(this.#sink(stream));
    }
    return writer;
  }

  /** Takes a message of a rank; true when it was the last of the last rank. */
  receive(message: SequencedServerMessage | DataFrame): boolean {
    if (message.type === "error" && message.ranks) {
      const { ranks } = message;
      // The observer may have closed the session meanwhile.
      return decodeIdset(ranks).reduce(
        (_, rank) => this.over || this.receive({ ...message, rank, ranks: "" }),
        false,
      );
    }
    const waiting = this.#waiting as Set<number>;
    if (!this.request.streaming && message.type !== "response" && message.type !== "error") {
      throw new ProtocolError(CLOSE.malformed, `request ${this.id} is not streaming`);
    }
    if (message.type === "credit") {
      this.input(message.stream).addCredit(message.bytes);
      return false;
    }
    if (message.type === "stale") return false;
    if (message.type === "refused") {
      this.input(message.stream).refuse(this.#error(message), message.bytes);
      return false;
    }
    const rank = message.rank as number;
    if (!waiting.has(rank)) {
      throw new ProtocolError(CLOSE.malformed, `rank ${rank} owes nothing to request ${this.id}`);
    }
    const single = message.type === "response" && !this.request.streaming;
    if (single || message.type === "end" || message.type === "error") waiting.delete(rank);
    // Known before the observer is told: what it does then may ask.
    const over = waiting.size === 0;
    if (over) this.#end();
    const failure = message.type === "error";
    this.#observer.next(failure ? { type: "error", rank, error: this.#error(message) } : message);
    if (over) this.#observer.complete();
    return over;
  }

  /** The session is lost, and with it what the ranks still owe. */
  fail(error: FluxError): void {
    if (this.over) return;
    this.#end();
    const { topic } = this.request;
    this.#observer.error(new FluxError(error.errno, error.message, { topic, cause: error }));
  }

  #error({ rank, errno, message }: { rank?: number | undefined; errno: number; message: string }): FluxError {
    return new FluxError(errno, message, { topic: this.request.topic, rank });
  }

  #end(): void {
    this.over = true;
    for (const writer of this.#inputs.values()) writer.over();
  }
}
