/** The client's half of a session: opens it, numbers what goes out, and hands what comes in to its calls. */
import { type Observable, ReplaySubject } from "rxjs";
import { FluxError } from "../errors.js";
import { closeReason } from "../protocol/close-reason.js";
import { ALL_RANKS, type DataFrame, decodeDataFrame, encodeDataFrame } from "../protocol/frame.js";
import {
  CLOSE,
  MAX_FRAME,
  MAX_ID,
  OUTPUT_WINDOW,
  ProtocolError,
  parseServerMessage,
  parseWelcome,
  ranksOf,
  type ServerMessage,
} from "../protocol/messages.js";
import { Sequence } from "../protocol/sequence.js";
import type { Connector, Transport, TransportClose } from "../transport/transport.js";
import { Call, type CallObserver, type CallRequest } from "./call.js";
import { closeError } from "./close.js";
import type { InputSink } from "./input.js";
import type { Status } from "./status.js";

/** Consumed bytes per acknowledgement: often enough that the proxy's window never runs dry. */
const ACK_BYTES = OUTPUT_WINDOW / 16;

const encoder = new TextEncoder();

export class Session {
  readonly #transport: Transport;
  readonly #statuses = new ReplaySubject<Status>(1);
  #status: Status = { state: "connecting" };
  /** Calls that wait for the session to open. */
  #unsent = new Set<Call>();
  /** Calls by their first id. */
  readonly #calls = new Map<number, Call>();
  readonly #out = new Sequence();
  readonly #in = new Sequence();
  #nextId = 1;
  #wrapped = false;
  #rank: number | undefined;
  #consumed = 0;

  /** @param token is asked when the connection is open */
  constructor(connect: Connector, token: () => Promise<string>) {
    this.#enter(this.#status);
    this.#transport = connect({
      opened: () => this.#hello(token),
      message: (data) => this.#receive(data),
      closed: (close) => this.#closed(close),
    });
  }

  /** Its states, the latest first, also when it is over; completes after "closed". */
  get status$(): Observable<Status> {
    return this.#statuses.asObservable();
  }

  /** The rank of the broker spoken to; undefined until the session has been open. */
  get rank(): number | undefined {
    return this.#rank;
  }

  get status(): Status {
    return this.#status;
  }

  /** Sends a request, as soon as the session is open. The observer is never called before this returns. */
  start(request: CallRequest, observer: CallObserver): Call {
    const call = new Call(request, observer);
    const refused = this.#refusal(request);
    if (refused) {
      queueMicrotask(() => call.fail(refused));
    } else {
      this.#unsent.add(call);
      if (this.status.state === "open") queueMicrotask(() => this.#send(call));
    }
    return call;
  }

  #refusal({ sign }: CallRequest): FluxError | undefined {
    const { status } = this;
    if (status.state === "closed") {
      return status.error ?? new FluxError("ESHUTDOWN", "the Flux handle is closed");
    }
    // Sending it unsigned would be a lie.
    return sign ? new FluxError("EPERM", "this client cannot sign requests") : undefined;
  }

  /** Takes back a call that was not sent. @returns whether it was in time */
  withdraw(call: Call): boolean {
    return this.#unsent.delete(call);
  }

  /** The call that has `id` as its first id, while it is under way. */
  call(id: number): Call | undefined {
    const call = this.#calls.get(id);
    return call?.over ? undefined : call;
  }

  /** Ends an attach (PROTOCOL.md detach). */
  detach(call: Call): void {
    if (call.id !== undefined && !call.over) this.#sendJson({ type: "detach", id: call.id });
  }

  /** Ends the session. Foreground processes end with it. */
  close(): void {
    this.#end(undefined, CLOSE.normal, "");
  }

  async #hello(token: () => Promise<string>): Promise<void> {
    try {
      const value = await token();
      if (typeof value !== "string" || value === "") throw new TypeError("the token is not a string");
      if (this.status.state !== "closed")
        this.#transport.send(JSON.stringify({ type: "hello", token: value }));
    } catch (cause) {
      const why = cause instanceof Error ? `: ${cause.message}` : "";
      this.#end(new FluxError("EACCES", `no token could be had${why}`, { cause }), CLOSE.normal, "no token");
    }
  }

  #send(call: Call): void {
    if (this.status.state !== "open" || !this.#unsent.delete(call)) return;
    const { rank, size } = this.status;
    const { request } = call;
    let ranks: number[];
    let id: number;
    try {
      ranks = ranksOf(request.nodeid, rank, size);
      id = this.#claim(ranks.length);
      const { topic, nodeid, streaming, payload } = request;
      this.#sendJson({ type: "request", id, topic, nodeid, streaming, payload });
    } catch (cause) {
      const error = cause instanceof FluxError ? cause : new FluxError("EINVAL", String(cause), { cause });
      call.fail(error);
      return;
    }
    this.#calls.set(id, call);
    call.sent(id, ranks, (stream) => this.#inputSink(id, stream));
  }

  /** The first of `count` free ids. They count up; once they have wrapped, calls under way are stepped over. */
  #claim(count: number): number {
    let id = this.#nextId;
    for (let busy: Call | undefined; ; id = (busy.id as number) + busy.ids) {
      if (id + count - 1 > MAX_ID) {
        id = 1;
        this.#wrapped = true;
      }
      busy = this.#wrapped ? this.#overlapping(id, count) : undefined;
      if (busy === undefined) break;
    }
    this.#nextId = id + count;
    return id;
  }

  #overlapping(id: number, count: number): Call | undefined {
    for (const [first, call] of this.#calls) {
      if (first < id + count && id < first + call.ids) return call;
    }
    return undefined;
  }

  #inputSink(id: number, stream: string): InputSink {
    return {
      data: (data) => {
        this.#transport.send(encodeDataFrame({ seq: this.#out.next(), id, rank: ALL_RANKS, stream, data }));
      },
      eof: () => this.#sendJson({ type: "eof", id, stream }),
    };
  }

  /** @throws FluxError EMSGSIZE for a message that the proxy would not take; then nothing is sent */
  #sendJson(message: { type: string; [field: string]: unknown }): void {
    const text = JSON.stringify({ ...message, seq: this.#out.last + 1 });
    // A character is at most three bytes: short texts need no second look.
    if (text.length * 3 > MAX_FRAME && encoder.encode(text).length > MAX_FRAME) {
      throw new FluxError("EMSGSIZE", `the ${message.type} message is larger than ${MAX_FRAME} bytes`);
    }
    this.#out.next();
    this.#transport.send(text);
  }

  #receive(data: string | Uint8Array): void {
    if (this.status.state === "closed") return;
    try {
      if (this.status.state === "connecting") this.#welcome(data);
      else this.#deliver(typeof data === "string" ? parseServerMessage(data) : decodeDataFrame(data));
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      const error = new FluxError("EPROTO", `the proxy broke the protocol: ${cause.message}`, { cause });
      this.#end(error, cause.closeCode, cause.message);
    }
  }

  #welcome(data: string | Uint8Array): void {
    if (typeof data !== "string")
      throw new ProtocolError(CLOSE.malformed, "the first message is not welcome");
    const { type: _, ...welcome } = parseWelcome(data);
    this.#rank = welcome.rank;
    this.#enter({ state: "open", ...welcome });
    for (const call of this.#unsent) this.#send(call);
  }

  #deliver(message: ServerMessage | DataFrame): void {
    this.#in.receive(message.seq);
    const call = this.#calls.get(message.id);
    if (call === undefined)
      throw new ProtocolError(CLOSE.malformed, `request ${message.id} is not under way`);
    if (call.receive(message)) this.#calls.delete(message.id);
    if (message.type === "data") this.#acknowledge(message);
  }

  #acknowledge({ seq, data }: DataFrame): void {
    this.#consumed += data.length;
    if (this.#consumed < ACK_BYTES || this.status.state !== "open") return;
    this.#consumed = 0;
    this.#transport.send(JSON.stringify({ type: "ack", seq }));
  }

  #closed(close: TransportClose): void {
    this.#end(closeError(close));
  }

  #end(error: FluxError | undefined, code?: number, reason?: string): void {
    if (this.status.state === "closed") return;
    this.#enter(error ? { state: "closed", error } : { state: "closed" });
    if (code !== undefined) this.#transport.close(code, closeReason(reason ?? ""));
    const lost = error ?? new FluxError("ECANCELED", "the Flux handle was closed");
    const calls = [...this.#calls.values(), ...this.#unsent];
    this.#calls.clear();
    this.#unsent.clear();
    for (const call of calls) call.fail(lost);
    this.#statuses.complete();
  }

  #enter(status: Status): void {
    this.#status = status;
    this.#statuses.next(status);
  }
}
