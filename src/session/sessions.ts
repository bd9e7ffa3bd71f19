/** The sessions of a handle, one after another: its requests, those of the present session and those that wait for one. */
import type { Observable } from "rxjs";
import { FluxError } from "../errors.js";
import { HOSTS_TOPIC, type Hosts, isHostlist } from "../protocol/hosts.js";
import type { Expiry, Response, Welcome } from "../protocol/messages.js";
import type { Connector } from "../transport/transport.js";
import { type CallObserver, type CallRequest, ClientCall, type RankMessage } from "./client-call.js";
import { hostNames } from "./host-names.js";
import { Ids } from "./ids.js";
import { Latest } from "./latest.js";
import { Link, type LinkOptions } from "./link.js";
import { Session } from "./session.js";
import type { SessionToken } from "./session-token.js";
import type { ClientSigner } from "./signed-calls.js";
import type { Status } from "./status.js";

/** Takes requests from the first connection on until the handle is closed. A request is sent once, in one session. */
export class Sessions {
  readonly #link: Link;
  readonly #token: SessionToken;
  readonly #signer: ClientSigner | undefined;
  readonly #statuses = new Latest<Status>();
  #status: Status = { state: "connecting", attempt: 1 };
  #session: Session;
  /** Calls that wait until a session is open. */
  readonly #unsent = new Set<ClientCall>();
  /** They go on from session to session: the matchtag of an old process must not name a new one. */
  readonly #ids = new Ids();
  /** The error of the last renewal. It becomes the cause when the session ends. */
  #notRenewed: unknown;

  /** @param signer signs requests in the client, so that nobody has to trust the proxy with the key */
  constructor(connect: Connector, token: SessionToken, signer?: ClientSigner, options: LinkOptions = {}) {
    this.#token = token;
    this.#signer = signer;
    this.#enter(this.#status);
    this.#link = new Link(connect, token, options, {
      welcomed: (welcome) => this.#welcomed(welcome),
      message: (message) => this.#session.deliver(message),
      expiry: (message) => this.#renew(message),
      waiting: (status) => this.#enter(status),
      lost: (error) => this.#lost(error),
      ended: (error) => this.#end(error),
    });
    this.#session = new Session(this.#link.out);
  }

  /** The latest status at subscription, also after the end, then each change. Completes after "closed". */
  get status$(): Observable<Status> {
    return this.#statuses;
  }

  /** The latest status. */
  get status(): Status {
    return this.#status;
  }

  /** Sends a request, as soon as a session is open. Calls the observer only after this returns. */
  start(request: CallRequest, observer: CallObserver): ClientCall {
    const call = new ClientCall(request, observer);
    const { status } = this;
    if (status.state === "closed") {
      const error = status.error ?? new FluxError("ESHUTDOWN", "the Flux handle was closed");
      // No microtask: `retry()` of a closed handle would take all the time of the program.
      setTimeout(() => call.fail(error));
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
    const call = this.#session.calls.get(id);
    return call?.over ? undefined : call;
  }

  /** Ends an attach, a watch or a stream (PROTOCOL.md detach). */
  detach(call: ClientCall): void {
    if (call.id !== undefined && !call.over) this.#link.out.json({ type: "detach", id: call.id });
  }

  /** Moves the session to a new connection. Rejects with a FluxError, and stays on the old one, if that fails. */
  reconnect(): Promise<void> {
    return this.#link.reconnect();
  }

  /** Ends the session, for good. Foreground processes end with it. */
  close(): void {
    this.#link.close();
    this.#end(undefined);
  }

  #send(call: ClientCall): void {
    if (this.status.state !== "open" || !this.#unsent.has(call)) return;
    if (isHostlist(call.request.nodeid)) {
      this.#find(call);
    } else {
      this.#unsent.delete(call);
      this.#session.send(call, this.#ids, this.status);
    }
  }

  /** Asks for the ranks of the hosts of a call, which then is sent. If the session is lost, the call waits for the next one. */
  #find(call: ClientCall): void {
    const { nodeid: hosts, one } = call.request;
    const found = (message: RankMessage) => {
      if (this.status.state !== "open" || !this.#unsent.delete(call)) return;
      try {
        if (message.type === "error") throw message.error;
        const { payload } = message as Response;
        const names = hostNames(payload);
        call.nodeid = (payload as unknown as Hosts).ranks;
        // Brokers on one host have its name in common, which then says nothing in an error.
        call.hosts = names.size > 1 && new Set(names.values()).size === 1 ? undefined : names;
        if (one && names.size > 1) throw new FluxError("EINVAL", `${hosts} is ranks ${call.nodeid}`);
        this.#session.send(call, this.#ids, this.status);
      } catch (error) {
        call.fail(error as FluxError);
      }
    };
    const request = { topic: HOSTS_TOPIC, nodeid: "any", streaming: false, payload: { hosts }, sign: false };
    const failed = (error: FluxError) => {
      // Of an open session: the question could not be sent. A lost session asks again in the next one.
      if (this.status.state === "open" && this.#unsent.delete(call)) call.fail(error);
    };
    this.start(request, { next: found, error: failed, complete: () => {} });
  }

  #welcomed({ type: _, time, resume: __, received: ___, ...open }: Welcome): void {
    const session = this.#session;
    session.signing ??= this.#signer?.calls(this.#link.out, open.userid);
    session.signing?.welcomed(time);
    this.#notRenewed = undefined;
    this.#enter({ state: "open", ...open });
    for (const call of this.#unsent) this.#send(call);
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

  /** Nobody knows the effect of a request that was sent, so it fails. Only its caller may send it again. */
  #lost(error: FluxError): void {
    if (this.#notRenewed) error.cause ??= this.#notRenewed;
    const calls = this.#session.end();
    this.#session = new Session(this.#link.out);
    for (const call of calls) {
      if (call.id === undefined && !call.over) this.#unsent.add(call);
      else call.fail(error);
    }
  }

  #end(error: FluxError | undefined): void {
    if (this.status.state === "closed") return;
    if (error && this.#notRenewed) error.cause ??= this.#notRenewed;
    const calls = [...this.#session.end(), ...this.#unsent];
    this.#unsent.clear();
    this.#enter({ state: "closed", error });
    const lost = error ?? new FluxError("ECANCELED", "the Flux handle was closed");
    for (const call of calls) call.fail(lost);
    this.#statuses.complete();
  }

  #enter(status: Status): void {
    this.#status = status;
    this.#statuses.next(status);
  }
}
