/** The client's half of a session: its requests, over a link that outlives its connections. */
import type { Observable } from "rxjs";
import { FluxError } from "../errors.js";
import { ALL_RANKS, type DataFrame } from "../protocol/frame.js";
import {
  type Expiry,
  MAX_DATA,
  ranksOf,
  type SequencedServerMessage,
  type Welcome,
} from "../protocol/messages.js";
import { CLOSE, ProtocolError } from "../protocol/protocol-error.js";
import type { Connector } from "../transport/transport.js";
import { type CallObserver, type CallRequest, type CallSigner, ClientCall } from "./client-call.js";
import { ConsumedReports } from "./consumed-reports.js";
import { deliver } from "./consumption.js";
import { Ids } from "./ids.js";
import type { InputSink } from "./input-queue.js";
import { Latest } from "./latest.js";
import { Link, type LinkOptions } from "./link.js";
import type { Outgoing } from "./outgoing.js";
import type { SessionToken } from "./session-token.js";
import type { ClientSigner } from "./signed-calls.js";
import type { Status } from "./status.js";

/** Sends requests and delivers their messages, from the first connection to the end of the session. */
export class Session {
  readonly #link: Link;
  readonly #token: SessionToken;
  readonly #signer: ClientSigner | undefined;
  readonly #statuses = new Latest<Status>();
  #status: Status = { state: "connecting" };
  /** Calls that wait until the session is open. */
  readonly #unsent = new Set<ClientCall>();
  /** Calls by their first id. */
  readonly #calls = new Map<number, ClientCall>();
  readonly #ids = new Ids();
  readonly #consumed: ConsumedReports;
  /** Non-null from the first welcome on, if the client signs. */
  #signing: CallSigner | undefined;
  #rank: number | undefined;
  /** The error of the last renewal. It becomes the cause when the session ends. */
  #notRenewed: unknown;

  /** @param signer signs requests in the client, so that nobody has to trust the proxy with the key */
  constructor(connect: Connector, token: SessionToken, signer?: ClientSigner, options: LinkOptions = {}) {
    this.#token = token;
    this.#signer = signer;
    this.#enter(this.#status);
    this.#link = new Link(connect, token, options, {
      welcomed: (welcome) => this.#welcomed(welcome),
      message: (message) => this.#deliver(message),
      expiry: (message) => this.#renew(message),
      resuming: (status) => this.#enter(status),
      ended: (error) => this.#end(error),
    });
    this.#consumed = new ConsumedReports(
      this.#link.out,
      (id, rank) => this.#calls.get(id)?.owes(rank) ?? false,
    );
  }

  /** The latest status at subscription, also after the end, then each change. Completes after "closed". */
  get status$(): Observable<Status> {
    return this.#statuses;
  }

  /** The rank of the proxy's broker; undefined until the first welcome. */
  get rank(): number | undefined {
    return this.#rank;
  }

  /** The latest status. */
  get status(): Status {
    return this.#status;
  }

  /** Sends a request, as soon as the session is open. Calls the observer only after this returns. */
  start(request: CallRequest, observer: CallObserver): ClientCall {
    const call = new ClientCall(request, observer);
    const { status } = this;
    if (status.state === "closed") {
      const error = status.error ?? new FluxError("ESHUTDOWN", "the Flux handle was closed");
      queueMicrotask(() => call.fail(error));
    } else {
      this.#unsent.add(call);
      if (status.state === "open") queueMicrotask(() => this.#send(call));
    }
    return call;
  }

  /** Cancels a call that was not sent, or is being signed. @returns false if it was sent */
  withdraw(call: ClientCall): boolean {
    if (call.id !== undefined || call.over) return false;
    this.#unsent.delete(call);
    call.fail(new FluxError("ECANCELED", "canceled before it was sent"));
    return true;
  }

  /** The call with the first id `id`; undefined if it is over. */
  call(id: number): ClientCall | undefined {
    const call = this.#calls.get(id);
    return call?.over ? undefined : call;
  }

  /** Ends an attach (PROTOCOL.md detach). */
  detach(call: ClientCall): void {
    if (call.id !== undefined && !call.over) this.#link.out.json({ type: "detach", id: call.id });
  }

  /** Moves the session to a new connection. Rejects with a FluxError, and stays on the old one, if that fails. */
  reconnect(): Promise<void> {
    return this.#link.reconnect();
  }

  /** Ends the session. Foreground processes end with it. */
  close(): void {
    this.#link.close();
    this.#end(undefined);
  }

  #send(call: ClientCall): void {
    if (this.status.state !== "open" || !this.#unsent.delete(call)) return;
    const { sign = this.status.owner !== this.status.userid, ...request } = call.request;
    try {
      const ranks = ranksOf(request.nodeid, this.status.rank, this.status.size);
      const id = this.#ids.claim(ranks.length, this.#calls);
      call.ids = ranks.length;
      if (sign && this.#signing) {
        this.#signing.send(call, ranks, id, (error) => {
          this.#calls.delete(id);
          call.fail(error);
        });
      } else {
        // JSON drops an undefined field.
        this.#link.out.json({ type: "request", id, ...request, sign: sign || undefined });
        call.sent(ranks, id, (stream) => plainSink(this.#link.out, id, stream));
      }
      this.#calls.set(id, call);
    } catch (cause) {
      call.fail(cause instanceof FluxError ? cause : new FluxError("EINVAL", String(cause), { cause }));
    }
  }

  #welcomed({ type: _, time, resume: __, received: ___, ...open }: Welcome): void {
    this.#rank = open.rank;
    this.#signing ??= this.#signer?.calls(this.#link.out, open.userid);
    this.#signing?.welcomed(time);
    this.#notRenewed = undefined;
    this.#enter({ state: "open", ...open });
    for (const call of this.#unsent) this.#send(call);
  }

  #deliver(message: SequencedServerMessage | DataFrame): void {
    const call = this.#calls.get(message.id);
    if (call === undefined) {
      throw new ProtocolError(CLOSE.malformed, `request ${message.id} is not under way`);
    }
    if (message.type === "data") {
      deliver(
        () => call.receive(message),
        () => this.#consumed.add(message),
      );
      return;
    }
    if (call.receive(message)) this.#calls.delete(message.id);
    call.signer?.answered(call, message);
  }

  #renew({ type, expires }: Expiry): void {
    if (type === "renewed") {
      this.#notRenewed = undefined;
      if (this.status.state === "open") this.#enter({ ...this.status, expires });
      return;
    }
    this.#token.successor().then(
      (token) => token !== undefined && this.#link.send({ type: "token", token }),
      // The current token is valid until it expires.
      (error) => {
        this.#notRenewed = error;
      },
    );
  }

  #end(error: FluxError | undefined): void {
    if (this.status.state === "closed") return;
    if (error && this.#notRenewed) error.cause ??= this.#notRenewed;
    this.#consumed.end();
    this.#enter({ state: "closed", error });
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

function plainSink(out: Outgoing, id: number, stream: string): InputSink {
  return {
    limit: MAX_DATA,
    turn: (send) => out.turn(send),
    data: (data) => out.data({ id, rank: ALL_RANKS, stream, data }),
    eof: () => out.json({ type: "eof", id, stream }),
  };
}
