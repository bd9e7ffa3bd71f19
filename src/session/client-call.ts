/** One request of a session: the ranks that still owe messages, and the input streams. */
import { FluxError, type FluxErrorCode } from "../errors.js";
import type { DataFrame } from "../protocol/frame.js";
import { decodeIdset } from "../protocol/idset.js";
import type {
  Credit,
  Gap,
  Nodeid,
  OutputEof,
  Overflow,
  RankEnd,
  Refused,
  Response,
  Responsiveness,
  SequencedServerMessage,
} from "../protocol/messages.js";
import { CLOSE, ProtocolError } from "../protocol/protocol-error.js";
import type { Command } from "../protocol/rfc42.js";
import { InputQueue, type InputSink } from "./input-queue.js";

/** A request (RFC 6) before it has an id. */
export interface CallRequest {
  /** Service and method. */
  topic: string;
  /** The ranks, or an RFC 29 hostlist, of which the proxy is asked for the ranks. */
  nodeid: Nodeid;
  /** True if hosts that have several ranks are an error. */
  one?: boolean | undefined;
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
  /** Made where the verb was called: its stack is that of the call's errors. */
  origin?: Error | undefined;
  /** The program of an exec, for errors. @default the first word of the command */
  program?: string | undefined;
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
  /** The session is over. Nothing is sent from now on, also not a call that is being signed. */
  end(): void;
}

/** A request from its start to the last message of its last rank. */
export class ClientCall {
  /** The request as the verb made it. */
  readonly request: CallRequest;
  /** The ranks of the request, in this session. */
  nodeid: Nodeid;
  /** The host of each rank, if the request names hosts. */
  hosts: ReadonlyMap<number, string> | undefined;
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
    this.nodeid = request.nodeid;
    this.#observer = observer;
  }

  /** The request was sent to `ranks`, with the first id `id`. */
  sent(ranks: readonly number[], id: number, sink: (stream: string) => InputSink): void {
    this.id = id;
    this.#waiting = new Set(ranks);
    this.#sink = sink;
    for (const [stream, writer] of this.#inputs) writer.open(sink(stream));
  }

  /** The request as the proxy takes it. */
  get message(): Omit<CallRequest, "sign" | "one" | "origin" | "program"> {
    const { sign: _, one: __, origin: ___, program: ____, ...request } = this.request;
    return { ...request, nodeid: this.nodeid };
  }

  /** True if `rank` has not sent its last message. */
  owes(rank: number): boolean {
    return this.#waiting?.has(rank) ?? false;
  }

  /** The ranks that have not sent their last message, ascending; empty if the request was not sent. */
  get owing(): number[] {
    return [...(this.#waiting ?? [])];
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
    const { type } = message;
    if (type === "error" && message.ranks) {
      // The observer may close the session in between.
      return decodeIdset(message.ranks).reduce(
        (_, rank) => this.over || this.receive({ ...message, rank, ranks: "" }),
        false,
      );
    }
    const last = this.request.streaming ? STREAMING : SINGLE;
    const input = last === STREAMING && INPUT[type];
    if (input) {
      input(this, message as never);
      return false;
    }
    const waiting = this.#waiting as Set<number>;
    const { rank } = message as RankMessage;
    // A request with one answer has last messages only.
    if (!waiting.has(rank) || (last === SINGLE && !last[type])) {
      throw new ProtocolError(CLOSE.malformed, `rank ${rank} owes request ${this.id} no ${type}`);
    }
    if (last[type]) waiting.delete(rank);
    // First, since the observer may look at `over`.
    const over = waiting.size === 0;
    if (over) this.#end();
    const failure = type === "error";
    this.#observer.next(
      failure
        ? { type, rank, error: this.error(message.errno, message.message, rank) }
        : (message as RankMessage),
    );
    if (over) this.#observer.complete();
    return over;
  }

  /** The session is lost, with all messages that the ranks still owe. */
  fail(error: FluxError): void {
    if (this.over) return;
    this.#end();
    this.#observer.error(this.error(error.errno, error.reason, undefined, error));
  }

  /** Makes an error of this request. */
  error(errno: number | FluxErrorCode, reason: string, rank?: number, cause?: unknown): FluxError {
    const { topic, origin } = this.request;
    const host = this.hosts?.get(rank as number);
    const error = new FluxError(errno, reason, {
      topic,
      rank,
      host,
      subject: subjectOf(this.request),
      cause,
    });
    // V8 begins a stack with the error's text, others do not.
    if (origin?.stack) error.stack = origin.stack.replace(/^Error:? ?/, () => String(error));
    return error;
  }

  #end(): void {
    this.over = true;
    for (const writer of this.#inputs.values()) writer.over();
  }
}

/** The verb of a request and its object: "exec hostname", "kill nap", "watch"; the topic of another service. */
function subjectOf({ topic, streaming, program, payload: { cmd, label, pid } }: CallRequest): string {
  const [, verb] = /^(?:rexec|sdexec|.*\.rexec)\.(\w+)$/.exec(topic) ?? [];
  const what = program ?? (cmd as Partial<Command> | undefined)?.cmdline?.[0] ?? label ?? pid;
  return [verb === "list" && streaming ? "watch" : (verb ?? topic), what].join(" ").trim();
}

type MessageType = SequencedServerMessage["type"] | DataFrame["type"];

/** The last message of a rank; a request with one answer has no other. */
const SINGLE: { [T in MessageType]?: true } = { response: true, error: true };
/** The last message of a rank of a streaming request. */
const STREAMING: typeof SINGLE = { end: true, error: true };

/** The messages about the input of all ranks. `stale` is for the call's signer. */
const INPUT: { [T in MessageType]?: (call: ClientCall, message: never) => void } = {
  credit: (call, { stream, bytes }: Credit) => call.input(stream).addCredit(bytes),
  refused: (call, refusal: Refused) =>
    call.input(refusal.stream).refuse(call.error(refusal.errno, refusal.message), refusal.bytes),
  stale: () => {},
};
