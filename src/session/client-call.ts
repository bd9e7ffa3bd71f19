/** One request of a session: the ranks that still owe messages, and the input streams. */
import { FluxError } from "../errors.js";
import type { DataFrame } from "../protocol/frame.js";
import { decodeIdset } from "../protocol/idset.js";
import type {
  Gap,
  Nodeid,
  OutputEof,
  Overflow,
  RankEnd,
  Response,
  Responsiveness,
  SequencedServerMessage,
} from "../protocol/messages.js";
import { CLOSE, ProtocolError } from "../protocol/protocol-error.js";
import { InputQueue, type InputSink } from "./input-queue.js";

/** A request (RFC 6) before it has an id. */
export interface CallRequest {
  /** Service and method. */
  topic: string;
  /** The ranks. */
  nodeid: Nodeid;
  /** True for any number of responses from each rank, false for one. */
  streaming: boolean;
  /** The JSON object for the service. */
  payload: Record<string, unknown>;
  /** True to sign the request (RFC 42 Request Authentication). @default true if the owner is another user */
  sign?: boolean | undefined;
  /** The treatment of output that is not consumed in time. @default "stop" for an exec, "gap" for an attach */
  overflow?: Overflow | undefined;
  /** Milliseconds until the first answer of each rank. @default no limit */
  timeout?: number | undefined;
}

/** A message from a rank of a request. `end` and `error` are the last ones of a rank. */
export type RankMessage = Response | OutputEof | Gap | Responsiveness | DataFrame | RankEnd | RankFailure;

/** The request failed on one rank. */
export interface RankFailure {
  type: "error";
  rank: number;
  error: FluxError;
}

/** Receives the messages of all ranks, then `error` or `complete`. */
export interface CallObserver {
  /** A rank has sent a message. */
  next(message: RankMessage): void;
  /** The session is lost. */
  error(error: FluxError): void;
  /** Every rank has sent its last message. */
  complete(): void;
}

/** Signs calls and sends them, once the session is open. */
export interface CallSigner {
  /** @param time the proxy's clock, in milliseconds since 1970, at each welcome: the client's clock stops while its machine sleeps */
  welcomed(time: number): void;
  /** @throws FluxError EPERM if the signer is of another user */
  send(call: ClientCall, ranks: readonly number[], id: number, failed: (error: FluxError) => void): void;
  /** Takes a message for a call, after the call itself. */
  answered(call: ClientCall, message: SequencedServerMessage): void;
}

/** A request from its start to the last message of its last rank. */
export class ClientCall {
  /** The request as the verb made it. */
  readonly request: CallRequest;
  /** The first of its ids on the session; undefined until it is sent. */
  id: number | undefined;
  /** The number of its ids: one for each rank. */
  ids = 0;
  /** True if every rank has sent its last message, or the session was lost. The observer's last callback may be still to come. */
  over = false;
  /** Non-null if the client has signed the request. */
  signer: CallSigner | undefined;
  readonly #observer: CallObserver;
  readonly #inputs = new Map<string, InputQueue>();
  /** The ranks that owe messages; undefined until the request is sent. */
  #waiting: Set<number> | undefined;
  /** Makes the sinks of input streams; undefined until the request is sent. */
  #sink: ((stream: string) => InputSink) | undefined;

  constructor(request: CallRequest, observer: CallObserver) {
    this.request = request;
    this.#observer = observer;
  }

  /** The request was sent to `ranks`, with the first id `id`. */
  sent(ranks: readonly number[], id: number, sink: (stream: string) => InputSink): void {
    this.id = id;
    this.#waiting = new Set(ranks);
    this.#sink = sink;
    for (const [stream, writer] of this.#inputs) writer.open(sink(stream));
  }

  /** True if `rank` has not sent its last message. */
  owes(rank: number): boolean {
    return this.#waiting?.has(rank) ?? false;
  }

  /** The queue of an input stream. */
  input(stream: string): InputQueue {
    let writer = this.#inputs.get(stream);
    if (writer === undefined) {
      writer = new InputQueue();
      this.#inputs.set(stream, writer);
      if (this.#sink) writer.open(this.#sink(stream));
    }
    return writer;
  }

  /** Takes a message of a rank. @returns true if it was the last one of the last rank @throws ProtocolError */
  receive(message: SequencedServerMessage | DataFrame): boolean {
    if (message.type === "error" && message.ranks) {
      const { ranks } = message;
      // The observer may close the session in between.
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
    // First, since the observer may look at `over`.
    const over = waiting.size === 0;
    if (over) this.#end();
    const failure = message.type === "error";
    this.#observer.next(failure ? { type: "error", rank, error: this.#error(message) } : message);
    if (over) this.#observer.complete();
    return over;
  }

  /** The session is lost, with all messages that the ranks still owe. */
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
