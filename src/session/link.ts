/** A session's way to the proxy, over as many connections as it takes. PROTOCOL.md, "Sequence" and "Resuming". */
import { FluxError } from "../errors.js";
import { type DataFrame, decodeDataFrame } from "../protocol/frame.js";
import {
  CLOSE,
  type Expiry,
  ProtocolError,
  type SequencedServerMessage,
  type Welcome,
} from "../protocol/messages.js";
import { Sequence } from "../protocol/sequence.js";
import { parseServerMessage } from "../protocol/server-messages.js";
import type { Connector, TransportClose } from "../transport/transport.js";
import { closeError, isLoss } from "./close.js";
import { Connection } from "./connection.js";
import type { Lease } from "./lease.js";
import { Outgoing } from "./outgoing.js";
import { fullJitter, onWake, type RetryOptions } from "./retry.js";
import type { Status } from "./status.js";

/** How much longer than its grace a session may be there: the proxy hears later than we do that a connection is lost. */
const LATE_MS = 60_000;

export interface LinkOptions {
  retry?: RetryOptions | false | undefined;
  grace?: number | undefined;
}

export interface LinkEvents {
  /** The proxy has welcomed us, for the first time or again. */
  welcomed(welcome: Welcome): void;
  /** A message that was not taken before, in its order. */
  message(message: SequencedServerMessage | DataFrame): void;
  expiry(message: Expiry): void;
  resuming(status: Status & { state: "resuming" }): void;
  ended(error: FluxError): void;
}

export class Link {
  readonly out = new Outgoing();
  readonly #connect: Connector;
  readonly #lease: Lease;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #in = new Sequence();
  readonly #asleep = new AbortController();
  /** The one that the session is on. */
  #current: Connection | undefined;
  /** The one that is to become it. */
  #next: Connection | undefined;
  #welcome: Welcome | undefined;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #error: FluxError | undefined;
  #lostAt = 0;
  #over = false;
  /** Who waits for the next welcome. */
  readonly #reconnecting: ((error?: FluxError) => void)[] = [];

  constructor(connect: Connector, lease: Lease, options: LinkOptions, events: LinkEvents) {
    this.#connect = connect;
    this.#lease = lease;
    this.#options = options;
    this.#events = events;
    this.#open();
    onWake(() => this.#wake(), this.#asleep.signal);
  }

  /** Sends what PROTOCOL.md does not number; it is lost with the connection. */
  send(message: object): void {
    this.#current?.send(message);
  }

  /** Makes another connection, and then lets go of the one there is. Rejects with a FluxError. */
  reconnect(): Promise<void> {
    if (this.#over || !this.#resumable) {
      return Promise.reject(new FluxError("ENOTCONN", "there is no session to resume"));
    }
    return new Promise((resolve, reject) => {
      this.#reconnecting.push((error) => (error ? reject(error) : resolve()));
      if (this.#current) this.#open();
      else this.#wake();
    });
  }

  /** Lets go of it all. Nothing is told of that. */
  close(): void {
    this.#over = true;
    this.#asleep.abort();
    clearTimeout(this.#waiting);
    this.#current?.close(CLOSE.normal, "");
    this.#next?.close(CLOSE.normal, "");
    this.out.detach();
    this.#settle(new FluxError("ECANCELED", "the Flux handle was closed"));
  }

  #settle(error?: FluxError): void {
    for (const settle of this.#reconnecting.splice(0)) settle(error);
  }

  /** Tries at once. */
  #wake(): void {
    if (this.#waiting) this.#try(1);
    else this.#current?.probe();
  }

  #open(): void {
    if (this.#next) return;
    const { grace, retry } = this.#options;
    const hello = () => ({
      // What is undefined is no field in JSON.
      grace: retry === false ? 0 : grace,
      resume: this.#welcome?.resume && { id: this.#welcome.resume, received: this.#in.last },
    });
    const connection: Connection = new Connection(this.#connect, this.#lease, hello, {
      welcome: (welcome) => this.#welcomed(connection, welcome),
      message: (data) => this.#receive(data),
      closed: (close, error) => this.#closed(connection, close, error),
    });
    this.#next = connection;
  }

  #welcomed(connection: Connection, welcome: Welcome): void {
    const again = this.#welcome !== undefined;
    this.#next = undefined;
    this.#current?.close(CLOSE.normal, "");
    this.#current = connection;
    this.#welcome = welcome;
    this.#attempt = 0;
    // It has to know that its welcome has arrived, lest the id before stays good.
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

  #closed(connection: Connection, close: TransportClose, fault?: FluxError): void {
    if (this.#over) return;
    const error = fault ?? closeError(close);
    if (connection === this.#next) {
      this.#next = undefined;
      // The one there is serves on.
      if (this.#current) this.#settle(error);
      // What gives the token may be as far away as the proxy was.
      else if (this.#resumable && (fault ? fault.code === "EACCES" : isLoss(close) || !close.opened))
        this.#retry(error);
      else this.#stop(error);
      return;
    }
    this.#current = undefined;
    this.out.detach();
    this.#lostAt = Date.now();
    if (!this.#resumable || !isLoss(close)) this.#stop(error);
    else if (!this.#next) this.#retry(error);
    else this.#events.resuming({ state: "resuming", attempt: ++this.#attempt, error });
  }

  get #resumable(): boolean {
    return this.#options.retry !== false && this.#welcome?.resume !== undefined;
  }

  #retry(error: FluxError): void {
    const { count = Number.POSITIVE_INFINITY, delay = fullJitter } = this.#options.retry || {};
    const now = Date.now();
    if (this.#attempt >= count) {
      this.#stop(error);
      return;
    }
    if (now > this.#lostAt + (this.#welcome as Welcome).grace + LATE_MS) {
      const what = "the session could not be resumed in time";
      this.#stop(new FluxError("ETIMEDOUT", `${what}: ${error.message}`, { cause: error }));
      return;
    }
    const attempt = this.#attempt + 1;
    const ms = delay(attempt);
    this.#error = error;
    this.#attempt = attempt;
    this.#waiting = setTimeout(() => this.#try(attempt), ms);
    this.#events.resuming({ state: "resuming", attempt, next: now + ms, error });
  }

  #try(attempt: number): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#attempt = attempt;
    this.#open();
    this.#events.resuming({ state: "resuming", attempt, error: this.#error as FluxError });
  }

  #stop(error: FluxError): void {
    this.#settle(error);
    this.close();
    this.#events.ended(error);
  }
}
