/** The way to the proxy: connections one after another, for one session after another. PROTOCOL.md, "Sequence" and "Resuming". */
import { FluxError } from "../errors.js";
import { type DataFrame, decodeDataFrame } from "../protocol/frame.js";
import type { Expiry, SequencedServerMessage, Welcome } from "../protocol/messages.js";
import { CLOSE, ProtocolError } from "../protocol/protocol-error.js";
import { Sequence } from "../protocol/sequence.js";
import { parseServerMessage } from "../protocol/server-messages.js";
import type { Connector, TransportClose } from "../transport/transport.js";
import { closeError, isLoss } from "./close.js";
import { Outgoing } from "./outgoing.js";
import { ProxyConnection } from "./proxy-connection.js";
import { fullJitter, onWake, type RetryOptions, STABLE_MS } from "./retry.js";
import type { SessionToken } from "./session-token.js";
import type { Status } from "./status.js";

/** Milliseconds beyond its grace that a session may exist: the proxy notices a lost connection later than the client. */
const LATE_MS = 60_000;

/** Options of {@link Link}, from those of `connect`. */
export interface LinkOptions {
  /** When to try again; false: never. */
  retry?: RetryOptions | false | undefined;
  /** Milliseconds that the session should outlive a lost connection. @default the proxy's */
  grace?: number | undefined;
}

/** Callbacks of {@link Link}. */
export interface LinkEvents {
  /** The proxy has welcomed the client, to a new session or again. */
  welcomed(welcome: Welcome): void;
  /** A new message, in sequence. */
  message(message: SequencedServerMessage | DataFrame): void;
  /** The token ends soon, or was renewed. */
  expiry(message: Expiry): void;
  /** There is no connection, and an attempt is planned or under way. */
  waiting(status: Status & { state: "connecting" | "resuming" }): void;
  /** The session is lost, and `out` is that of the next one. */
  lost(error: FluxError): void;
  /** There is no further attempt. Not called by `close`. */
  ended(error: FluxError): void;
}

/**
 * The states of a link, with the names of {@link Status}. Each may end in "closed". `#next` opens a connection in the states without one
 * while `timer` is not set, and in "open" during `reconnect`.
 *
 *     connecting --welcome--> open --loss of the connection--> resuming --welcome--> open
 *         ^                    |                                  |
 *         +----------- loss of the session ------------------------+
 */
type State =
  | { state: "closed"; connection?: undefined; timer?: undefined }
  | { state: "open"; connection: ProxyConnection; timer?: undefined }
  | Waiting;

/** The states without a connection. */
interface Waiting {
  state: "connecting" | "resuming";
  connection?: undefined;
  /**
   * The end of the session if the client does not resume it before, by `performance.now()`: the clock of the machine may be set at any
   * time. Undefined in "connecting".
   */
  until?: number | undefined;
  /** The attempt that is planned or under way; the first is 1. */
  attempt: number;
  /** Explains the loss, or the failure of the last attempt; undefined during the first attempt of all. */
  error?: FluxError | undefined;
  /** Set until the attempt begins. */
  timer?: Timer | undefined;
}

type Timer = ReturnType<typeof setTimeout>;

/** Opens connections one after another, and carries the messages of sessions over them. */
export class Link {
  /** Messages to the proxy, of the present session or of the next one. */
  out = new Outgoing();
  readonly #connect: Connector;
  readonly #token: SessionToken;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #awake = new AbortController();
  #in = new Sequence();
  #state: State = { state: "connecting", attempt: 1 };
  /** Non-null while a connection opens; it becomes the one of the state "open". */
  #next: ProxyConnection | undefined;
  /** The latest welcome of the session; non-null in "open" and "resuming". */
  #welcome: Welcome | undefined;
  /** The time of the session's first welcome, in milliseconds since 1970; 0 before the first session. */
  #began = 0;
  /** The number of sessions in a row that were lost soon after their first welcome. */
  #lost = 0;
  /** Settle the promises of `reconnect`, at the next welcome or failure. */
  readonly #reconnecting: ((error?: FluxError) => void)[] = [];

  constructor(connect: Connector, token: SessionToken, options: LinkOptions, events: LinkEvents) {
    this.#connect = connect;
    this.#token = token;
    this.#options = options;
    this.#events = events;
    this.#open();
    onWake(() => this.#wake(), this.#awake.signal);
  }

  /** Sends a message outside of the sequence. It is lost with the connection. */
  send(message: object): void {
    this.#state.connection?.send(message);
  }

  /** Opens another connection, and then closes the current one. Rejects with a FluxError. */
  reconnect(): Promise<void> {
    const { state, connection } = this.#state;
    if (state === "closed" || (connection && !this.#resumable)) {
      return Promise.reject(
        new FluxError("ENOTCONN", "there is no session to resume", { subject: "reconnect" }),
      );
    }
    return new Promise((resolve, reject) => {
      this.#reconnecting.push((error) => (error ? reject(error) : resolve()));
      if (connection) this.#open();
      else this.#wake();
    });
  }

  /** Closes all connections, without an event. */
  close(): void {
    const { connection, timer } = this.#state;
    this.#state = { state: "closed" };
    this.#awake.abort();
    clearTimeout(timer);
    connection?.close(CLOSE.normal, "");
    this.#abandon();
    this.#settle(new FluxError("ECANCELED", "the Flux handle was closed"));
  }

  get #resumable(): boolean {
    return this.#options.retry !== false && this.#welcome?.resume !== undefined;
  }

  /** False if there is no attempt after this one. */
  get #retries(): boolean {
    const { retry } = this.#options;
    return retry !== false && (retry?.first !== false || this.#began > 0);
  }

  #settle(error?: FluxError): void {
    for (const settle of this.#reconnecting.splice(0)) settle(error);
  }

  /** Sends no more of this session, and opens no connection for it. */
  #abandon(): void {
    this.#next?.close(CLOSE.normal, "");
    this.#next = undefined;
    this.out.detach();
  }

  /** Begins the next attempt at once. In "open", checks that the proxy is alive. */
  #wake(): void {
    if (this.#state.timer) this.#begin(1);
    else this.#state.connection?.probe();
  }

  #open(): void {
    if (this.#next) return;
    const { grace, retry } = this.#options;
    const hello = () => ({
      // JSON drops an undefined field.
      grace: retry === false ? 0 : grace,
      resume: this.#welcome?.resume && { id: this.#welcome.resume, received: this.#in.last },
    });
    const connection: ProxyConnection = new ProxyConnection(this.#connect, this.#token, hello, {
      welcome: (welcome) => this.#welcomed(connection, welcome),
      message: (data) => this.#receive(data),
      closed: (close, error) => this.#closed(connection, close, error),
    });
    this.#next = connection;
  }

  #welcomed(connection: ProxyConnection, welcome: Welcome): void {
    const again = this.#welcome !== undefined;
    this.#next = undefined;
    this.#state.connection?.close(CLOSE.normal, "");
    this.#state = { state: "open", connection };
    this.#welcome = welcome;
    if (!again) this.#began = Date.now();
    // Any message confirms the welcome; until then the earlier resume ids stay valid.
    if (again) this.send({ type: "ack", seq: this.#in.ack() });
    if (!this.out.attach(connection.transport, welcome.received)) {
      throw new ProtocolError(CLOSE.malformed, `message ${welcome.received} was never sent`);
    }
    this.#events.welcomed(welcome);
    this.#settle();
  }

  #receive(data: string | Uint8Array): void {
    const message = typeof data === "string" ? parseServerMessage(data) : decodeDataFrame(data);
    if ("seq" in message && message.type !== "ack") {
      const size = typeof data === "string" ? data.length : data.byteLength;
      if (!this.#in.receive(message.seq, size)) return;
      this.#events.message(message);
      if (this.#in.due) this.send({ type: "ack", seq: this.#in.ack() });
    } else if (message.type === "ack") this.out.ack(message.seq);
    else if (message.type === "ping") this.send({ type: "pong" });
    else if ("expires" in message) this.#events.expiry(message);
  }

  /** A connection has ended, and not by `close`. */
  #closed(connection: ProxyConnection, close: TransportClose, fault?: FluxError): void {
    const state = this.#state as Exclude<State, { state: "closed" }>;
    const error = fault ?? closeError(close);
    const denied = error.code === "EACCES" || error.code === "EKEYEXPIRED";
    const opening = connection === this.#next;
    if (opening) {
      this.#next = undefined;
      this.#settle(error);
      // The session stays on its connection.
      if (state.connection) return;
    }
    if (!this.#retries || (denied && !this.#token.renewable)) {
      this.#stop(error);
    } else if (state.state === "open") {
      if (this.#resumable && isLoss(close)) {
        this.out.detach();
        const until = performance.now() + (this.#welcome as Welcome).grace + LATE_MS;
        const loss: Waiting = { state: "resuming", until, attempt: 1, error };
        if (this.#next) this.#wait(loss);
        else this.#retry(loss);
      } else this.#lose(error);
    } else if (state.until && (close.code === CLOSE.notResumable || (fault && !denied))) {
      this.#lose(error);
    } else this.#retry({ ...state, attempt: state.attempt + 1, error });
  }

  /** Plans an attempt, if there may be another. */
  #retry(waiting: Waiting): void {
    const { count = Number.POSITIVE_INFINITY, delay = fullJitter } = this.#options.retry || {};
    const { attempt, error, until } = waiting;
    if (attempt > count) this.#stop(error as FluxError);
    else if (until && performance.now() > until) {
      const message = `the session could not be resumed in time: ${error?.message}`;
      this.#lose(new FluxError("ECONNRESET", message, { cause: error }));
    } else {
      // A longer timer would fire at once.
      const ms = Math.min(delay(attempt), 2 ** 31 - 1);
      this.#wait({ ...waiting, timer: setTimeout(() => this.#begin(attempt), ms) }, Date.now() + ms);
    }
  }

  #begin(attempt: number): void {
    clearTimeout(this.#state.timer);
    this.#open();
    this.#wait({ ...(this.#state as Waiting), attempt, timer: undefined });
  }

  #wait(waiting: Waiting, next?: number): void {
    const { state, attempt, error } = waiting;
    this.#state = waiting;
    const session = this.#welcome?.session;
    this.#events.waiting({ state, session, attempt, next, error } as Status & { state: "resuming" });
  }

  /** The session is over. The next one begins with an attempt of its own. */
  #lose(error: FluxError): void {
    this.#lost = Date.now() < this.#began + STABLE_MS ? this.#lost + 1 : 1;
    this.#abandon();
    this.#settle(error);
    this.out = new Outgoing();
    this.#in = new Sequence();
    this.#welcome = undefined;
    this.#retry({ state: "connecting", attempt: this.#lost, error });
    // An observer of the status may have closed the link.
    if (this.#state.state !== "closed") this.#events.lost(error);
  }

  #stop(error: FluxError): void {
    this.#settle(error);
    this.close();
    this.#events.ended(error);
  }
}
