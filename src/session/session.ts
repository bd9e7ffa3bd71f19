/** The client's half of a session: opens it, sends requests, and hands what comes in to its calls. */
import { type Observable, ReplaySubject } from "rxjs";
import { FluxError } from "../errors.js";
import { closeReason } from "../protocol/close-reason.js";
import { type DataFrame, decodeDataFrame } from "../protocol/frame.js";
import {
  CLOSE,
  type Expiry,
  OUTPUT_WINDOW,
  ProtocolError,
  ranksOf,
  type ServerMessage,
  type Welcome,
} from "../protocol/messages.js";
import { parseOpening, parseServerMessage } from "../protocol/parse.js";
import { Sequence } from "../protocol/sequence.js";
import type { Signer } from "../signing/signer.js";
import type { Connector, Transport, TransportClose } from "../transport/transport.js";
import { Call, type CallObserver, type CallRequest } from "./call.js";
import { closeError } from "./close.js";
import { Ids } from "./ids.js";
import { plainSink, signedSink } from "./input-sink.js";
import type { Lease } from "./lease.js";
import { Outgoing } from "./outgoing.js";
import { Signatures } from "./signatures.js";
import type { Status } from "./status.js";

/** Consumed bytes per acknowledgement: often enough that the proxy's window never runs dry. */
const ACK_BYTES = OUTPUT_WINDOW / 16;

export class Session {
  readonly #transport: Transport;
  readonly #lease: Lease;
  readonly #signer: Signer | undefined;
  readonly #statuses = new ReplaySubject<Status>(1);
  #status: Status = { state: "connecting" };
  /** Calls that wait for the session to open. */
  readonly #unsent = new Set<Call>();
  /** Calls by their first id. */
  readonly #calls = new Map<number, Call>();
  readonly #ids = new Ids();
  readonly #out: Outgoing;
  readonly #in = new Sequence();
  #signatures!: Signatures;
  #rank: number | undefined;
  #consumed = 0;
  /** Why the token has no successor; told when it ends. */
  #notRenewed: unknown;

  /** @param signer signs requests here, so that the proxy need not be trusted with it */
  constructor(connect: Connector, lease: Lease, signer?: Signer) {
    this.#lease = lease;
    this.#signer = signer;
    this.#enter(this.#status);
    this.#transport = connect({
      opened: () => this.#answer("hello", "token", () => lease.token()),
      message: (data) => this.#receive(data),
      closed: (close) => this.#closed(close),
    });
    this.#out = new Outgoing(this.#transport);
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
    const { status } = this;
    if (status.state === "closed") {
      const error = status.error ?? new FluxError("ESHUTDOWN", "the Flux handle is closed");
      queueMicrotask(() => call.fail(error));
    } else {
      this.#unsent.add(call);
      if (status.state === "open") queueMicrotask(() => this.#send(call));
    }
    return call;
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
    if (call.id !== undefined && !call.over) this.#out.json({ type: "detach", id: call.id });
  }

  /** Ends the session. Foreground processes end with it. */
  close(): void {
    this.#end(undefined, CLOSE.normal, "");
  }

  #send(call: Call): void {
    if (this.status.state !== "open" || !this.#unsent.delete(call)) return;
    const { request } = call;
    try {
      const by = this.#signatures.by(request);
      const ranks = ranksOf(request.nodeid, this.status.rank, this.status.size);
      const id = this.#ids.claim(ranks.length, this.#calls);
      if (by === "client") this.#sendSigned(call, id, ranks);
      else {
        this.#sendRequest(id, request, request.payload, by === "proxy" ? { sign: true } : {});
        this.#calls.set(id, call);
        call.sent(id, ranks, (stream) => plainSink(this.#out, id, stream));
      }
    } catch (cause) {
      call.fail(cause instanceof FluxError ? cause : new FluxError("EINVAL", String(cause), { cause }));
    }
  }

  #sendSigned(call: Call, id: number, ranks: readonly number[]): void {
    const { request } = call;
    call.claim(ranks.length);
    this.#calls.set(id, call);
    this.#signatures.sign(
      request.topic,
      () => request.payload,
      (signed) => {
        if (call.over) return;
        this.#sendRequest(id, request, signed);
        call.sent(id, ranks, (stream) =>
          signedSink(this.#out, this.#signatures, call, { id, ranks, stream }),
        );
      },
      (error) => {
        this.#calls.delete(id);
        call.fail(error);
      },
    );
  }

  #sendRequest(id: number, { topic, nodeid, streaming }: CallRequest, payload: object, extra = {}): void {
    this.#out.json({ type: "request", id, topic, nodeid, streaming, payload, ...extra });
  }

  /** Sends what the lease gives, unless it has nothing to give or the session has ended meanwhile. */
  #answer(type: string, field: string, give: () => Promise<string | undefined>): void {
    give().then(
      (value) => {
        if (value !== undefined && this.status.state !== "closed")
          this.#out.unnumbered({ type, [field]: value });
      },
      (error: FluxError) => {
        // A token that cannot be renewed is good until it ends; without a first one there is nothing.
        if (type === "token") this.#notRenewed = error;
        else this.#end(error, CLOSE.normal, `no ${field}`);
      },
    );
  }

  #receive(data: string | Uint8Array): void {
    if (this.status.state === "closed") return;
    try {
      if (this.status.state === "connecting") this.#open(data);
      else this.#deliver(typeof data === "string" ? parseServerMessage(data) : decodeDataFrame(data));
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      const error = new FluxError("EPROTO", `the proxy broke the protocol: ${cause.message}`, { cause });
      this.#end(error, cause.closeCode, cause.message);
    }
  }

  #open(data: string | Uint8Array): void {
    if (typeof data !== "string")
      throw new ProtocolError(CLOSE.malformed, "the first message is not welcome");
    const message = parseOpening(data);
    if (message.type === "challenge") this.#answer("proof", "proof", () => this.#lease.proof(message.nonce));
    else this.#welcome(message);
  }

  #welcome({ type: _, time, ...place }: Welcome): void {
    const since = performance.now();
    const clock = () => time + (performance.now() - since);
    this.#rank = place.rank;
    this.#signatures = new Signatures(this.#signer, { ...place, clock });
    this.#enter({ state: "open", ...place });
    for (const call of this.#unsent) this.#send(call);
  }

  #deliver(message: ServerMessage | DataFrame | Expiry): void {
    if (!("seq" in message)) {
      this.#renew(message);
      return;
    }
    this.#in.receive(message.seq);
    const call = this.#calls.get(message.id);
    if (call === undefined) {
      throw new ProtocolError(CLOSE.malformed, `request ${message.id} is not under way`);
    }
    if (call.receive(message)) this.#calls.delete(message.id);
    if (message.type === "data") this.#acknowledge(message);
  }

  #renew({ type, expires }: Expiry): void {
    if (type === "expiring") this.#answer("token", "token", () => this.#lease.successor());
    else if (this.status.state === "open") this.#enter({ ...this.status, expires });
  }

  #acknowledge({ seq, data }: DataFrame): void {
    this.#consumed += data.length;
    if (this.#consumed < ACK_BYTES || this.status.state !== "open") return;
    this.#consumed = 0;
    this.#out.unnumbered({ type: "ack", seq });
  }

  #closed(close: TransportClose): void {
    this.#end(closeError({ ...close, cause: close.cause ?? this.#notRenewed }));
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
