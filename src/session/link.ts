/** A session's path to the proxy, over any number of connections. PROTOCOL.md, "Sequence" and "Resuming". */
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
import { fullJitter, onWake, type RetryOptions } from "./retry.js";
import type { SessionToken } from "./session-token.js";
import type { Status } from "./status.js";

/** Milliseconds beyond its grace that a session may exist: the proxy notices a lost connection later than the client. */
const LATE_MS = 60_000;

/** Options of {@link Link}, from those of `connect`. */
export interface LinkOptions {
  /** When to try a lost connection again; false: never. */
  retry?: RetryOptions | false | undefined;
  /** Milliseconds that the session should outlive a lost connection. @default the proxy's */
  grace?: number | undefined;
}

/** Callbacks of {@link Link}. */
export interface LinkEvents {
  /** The proxy has welcomed the client, for the first time or again. */
  welcomed(welcome: Welcome): void;
  /** A new message, in sequence. */
  message(message: SequencedServerMessage | DataFrame): void;
  /** The token ends soon, or was renewed. */
  expiry(message: Expiry): void;
  /** The connection is lost, and an attempt is planned or under way. */
  resuming(status: Status & { state: "resuming" }): void;
  /** The session has ended, not by `close`. */
  ended(error: FluxError): void;
}

/**
 * The states of a link, with the names of {@link Status}. Each may end in "closed". `#next` opens a connection in "connecting", in
 * "resuming" while `timer` is not set, and in "open" during `reconnect`.
 *
 *     connecting --welcome--> open --loss--> resuming --welcome--> open
 */
type State =
  | { state: "connecting" | "closed"; connection?: undefined; timer?: undefined }
  | { state: "open"; connection: ProxyConnection; timer?: undefined }
  | Loss;

/** The state without a connection, after a loss. */
interface Loss {
  state: "resuming";
  connection?: undefined;
  /** Milliseconds since 1970. */
  lostAt: number;
  /** The attempt that is planned or under way; the first is 1. */
  attempt: number;
  /** Explains the loss, or the failure of the last attempt. */
  error: FluxError;
  /** Set until the attempt begins. */
  timer?: Timer | undefined;
}

type Timer = ReturnType<typeof setTimeout>;

/** Opens connections one after the other, and carries the messages of one session over them. */
export class Link {
  /** Messages to the proxy. */
  readonly out = new Outgoing();
  readonly #connect: Connector;
  readonly #token: SessionToken;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #in = new Sequence();
  readonly #awake = new AbortController();
  #state: State = { state: "connecting" };
  /** Non-null while a connection opens; it becomes the one of the state "online". */
  #next: ProxyConnection | undefined;
  /** The latest welcome; non-null in every state but "connecting", and in "over" if there was one. */
  #welcome: Welcome | undefined;
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
    if (this.#state.state === "closed" || !this.#resumable) {
      return Promise.reject(new FluxError("ENOTCONN", "there is no session to resume"));
    }
    return new Promise((resolve, reject) => {
      this.#reconnecting.push((error) => (error ? reject(error) : resolve()));
      if (this.#state.connection) this.#open();
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
    this.#next?.close(CLOSE.normal, "");
    this.out.detach();
    this.#settle(new FluxError("ECANCELED", "the Flux handle was closed"));
  }

  get #resumable(): boolean {
    return this.#options.retry !== false && this.#welcome?.resume !== undefined;
  }

  #settle(error?: FluxError): void {
    for (const settle of this.#reconnecting.splice(0)) settle(error);
  }

  /** Begins the next attempt at once. While online, checks that the proxy is alive. */
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
    const state = this.#state;
    const error = fault ?? closeError(close);
    if (connection === this.#next) {
      this.#next = undefined;
      // The source of the token may be as unreachable as the proxy was.
      const again = fault ? fault.code === "EACCES" : isLoss(close) || !close.opened;
      // While another connection is in use, it stays.
      if (state.connection) this.#settle(error);
      else if (state.state === "resuming" && again)
        this.#retry({ ...state, attempt: state.attempt + 1, error });
      else this.#stop(error);
    } else if (this.#resumable && isLoss(close)) {
      this.out.detach();
      const loss: Loss = { state: "resuming", lostAt: Date.now(), attempt: 1, error };
      if (this.#next) this.#resume(loss);
      else this.#retry(loss);
    } else this.#stop(error);
  }

  /** Plans an attempt, or ends the session after too many of them or too late. */
  #retry(loss: Loss): void {
    const { count = Number.POSITIVE_INFINITY, delay = fullJitter } = this.#options.retry || {};
    const { attempt, error } = loss;
    const now = Date.now();
    if (attempt > count) this.#stop(error);
    else if (now > loss.lostAt + (this.#welcome as Welcome).grace + LATE_MS) {
      const message = `the session could not be resumed in time: ${error.message}`;
      this.#stop(new FluxError("ETIMEDOUT", message, { cause: error }));
    } else {
      const ms = delay(attempt);
      this.#resume({ ...loss, timer: setTimeout(() => this.#begin(attempt), ms) }, now + ms);
    }
  }

  #begin(attempt: number): void {
    clearTimeout(this.#state.timer);
    this.#open();
    this.#resume({ ...(this.#state as Loss), attempt, timer: undefined });
  }

  #resume(state: Loss, next?: number): void {
    this.#state = state;
    this.#events.resuming({ state: "resuming", attempt: state.attempt, next, error: state.error });
  }

  #stop(error: FluxError): void {
    this.#settle(error);
    this.close();
    this.#events.ended(error);
  }
}
