/** One session, over as many connections as it takes, one at a time. Everything that it does is in PROTOCOL.md. */
import type { FluxError } from "../../src/errors.js";
import { parseClientMessage } from "../../src/protocol/client-messages.js";
import { decodeDataFrame } from "../../src/protocol/frame.js";
import { CLOSE, MAX_FRAME, ProtocolError, type Welcome } from "../../src/protocol/messages.js";
import type { Signer } from "../../src/signing/signer.js";
import type { AuditSession } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { SendQueue } from "../call/send-queue.js";
import type { Brakes } from "../flow/brakes.js";
import { Outbox, type OutboxSocket } from "../flow/outbox.js";
import type { Scheduler } from "../flow/scheduler.js";
import type { Liveness } from "../liveness/liveness.js";
import type { Usage } from "../usage.js";
import type { Polls } from "../watch/polls.js";
import type { Allowance } from "./allowances.js";
import type { BrokerPool } from "./broker-pool.js";
import { Inbox } from "./inbox.js";
import { Lease } from "./lease.js";
import { OpenSession } from "./open-session.js";
import type { Place } from "./place.js";

/** One of the connections that a session has in the course of time. */
export interface SessionConnection {
  readonly socket: OutboxSocket;
  /** What arrives from now on is the session's. */
  enter(session: Session): void;
  /** Sends a message that is not in the sequence. */
  send(message: object): void;
  /** Lets go of the session, and closes. */
  close(code: number, reason: string): void;
}

/** What all sessions of a proxy share. */
export interface SessionSurroundings {
  /** Accepts a token or throws a FluxError that says why not. */
  verify(token: string): Promise<Identity>;
  /** Signs for the user that the proxy runs as. */
  signer?: Signer | undefined;
  /** The processes of each subject, in all sessions. */
  usage: Usage;
  /** The processes that may be stopped, in all sessions. */
  brakes: Brakes;
  /** What is polled for those who watch, in all sessions. */
  polls: Polls;
  /** Whether a background process may write output that is not cut into lines. Default false. */
  allowUnbufferedBackground?: boolean | undefined;
  /** Gives long work its turns, in all sessions. */
  scheduler: Scheduler;
  /** Which ranks answer, in all sessions. */
  liveness: Pick<Liveness, "add">;
  /** Told of faults in the proxy itself, which end the session with 4500. */
  onFault(error: unknown): void;
}

export interface SessionOptions extends SessionSurroundings {
  id: string;
  identity: Identity;
  /** For how long it outlives a lost connection, in milliseconds. */
  grace: number;
  broker: Broker;
  pool: BrokerPool;
  place: Place;
  allowance: Allowance;
  audit: AuditSession | undefined;
  /** Opens a further connection to the broker in the name of the client's user. */
  connectBroker(): Promise<Broker>;
  /**
   * A new id that resumes it. The one that was used and at most eight other earlier ones stay valid until `confirmed`: a welcome may
   * be lost with its socket.
   */
  rotate(used: string | undefined): string;
  /** The client has the new id. */
  confirmed(): void;
  ended(): void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #lease: Lease;
  readonly #open: OpenSession;
  #connection: SessionConnection | undefined;
  /** Whether a message has come over the connection there is. */
  #confirmed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { identity, audit, broker, signer } = options;
    const guard = (action: () => void) => this.#guard(action);
    this.#outbox = new Outbox({
      replay: options.grace > 0,
      overrun: () => this.end(CLOSE.overrun, "too much was not acknowledged"),
    });
    this.#lease = new Lease(identity, {
      verify: options.verify,
      send: (message) => this.#connection?.send(message),
      renewed: (next) => this.#renewed(next),
      close: (code, reason) => this.end(code, reason),
      fault: (error) => this.#fault(error),
    });
    const queue = new SendQueue(guard, () => this.#inbox.acknowledge());
    this.#inbox = new Inbox({
      pool: options.pool,
      queue,
      ack: (seq) => this.#connection?.send({ type: "ack", seq }),
    });
    this.#open = new OpenSession({
      ...options,
      signer,
      lease: this.#lease,
      outbox: this.#outbox,
      queue,
      guard,
    });
    audit?.opened(identity);
    void broker.closed.then((error) => {
      if (error) this.#guard(() => this.#lost(error));
    });
  }

  get id(): string {
    return this.#options.id;
  }

  /** Whose it is now. */
  get identity(): Identity {
    return this.#lease.identity;
  }

  /** Whether nobody is there, and nothing is under way. */
  get forsaken(): boolean {
    return this.#connection === undefined && this.#open.idle;
  }

  /**
   * Goes on over this connection, and over no other.
   * @param received the last message that the client has taken
   * @param resumed whose token it was resumed with, and by which id
   */
  attach(
    connection: SessionConnection,
    received: number,
    resumed?: { identity: Identity; id: string },
  ): void {
    const { id, grace, place, audit, rotate } = this.#options;
    if (!this.#outbox.canResume(received)) {
      const reason = "there is no such session to resume";
      connection.close(CLOSE.notResumable, reason);
      this.end(CLOSE.notResumable, reason);
      return;
    }
    this.#connection?.close(CLOSE.superseded, "the session was resumed on another connection");
    clearTimeout(this.#timer);
    connection.enter(this);
    this.#connection = connection;
    this.#confirmed = false;
    if (resumed) {
      audit?.resumed(resumed.identity);
      this.#open.renewed(resumed.identity);
    }
    const identity = resumed?.identity ?? this.identity;
    const welcome: Welcome = {
      type: "welcome",
      session: id,
      ...place,
      userid: identity.userid,
      expires: identity.expires,
      time: Date.now(),
      grace,
      ...(grace > 0 ? { resume: rotate(resumed?.id) } : {}),
      received: this.#inbox.received(),
    };
    connection.send(welcome);
    this.#lease.begin(identity);
    this.#outbox.attach(connection.socket, received);
    this.#open.attached(identity);
  }

  /** A text message has arrived. @throws ProtocolError */
  text(text: string): void {
    const message = parseClientMessage(text);
    this.#confirm();
    switch (message.type) {
      case "ack":
        this.#outbox.ack(message.seq);
        return;
      case "ping":
        this.#pong();
        return;
      case "pong":
        return;
      case "token":
        this.#lease.renew(message.token);
        return;
      default:
        if (this.#take(message.seq, text.length)) this.#open.message(message);
        this.#inbox.acknowledge();
    }
  }

  /** Who does not read has no need of an answer: what it has not read is a sign of life. */
  #pong(): void {
    const connection = this.#connection;
    if (connection && connection.socket.bufferedAmount < MAX_FRAME) connection.send({ type: "pong" });
  }

  /** A binary message has arrived. @throws ProtocolError */
  binary(bytes: Uint8Array): void {
    const frame = decodeDataFrame(bytes);
    this.#confirm();
    if (this.#take(frame.seq, bytes.length)) this.#open.data(frame);
    this.#inbox.acknowledge();
  }

  /** The network has taken some of what was sent. */
  drained(): void {
    this.#guard(() => this.#outbox.drained());
  }

  /** The connection there is has closed. @param ended the code with which the client has ended the session */
  left(ended: number | undefined): void {
    const { grace, audit } = this.#options;
    this.#connection = undefined;
    if (ended !== undefined || grace === 0) {
      this.end(ended, "");
      return;
    }
    audit?.detached();
    this.#outbox.detach();
    this.#open.detached();
    this.#lease.pause();
    this.#timer = setTimeout(() => this.end(undefined, "nobody has resumed it in time"), grace);
  }

  /** It is over. @param code the close code; undefined if there is nobody to tell it to */
  end(code: number | undefined, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#lease.end();
    this.#open.end();
    this.#options.pool.close();
    this.#options.ended();
    if (code === CLOSE.unauthorized) this.#options.audit?.refused(reason);
    this.#options.audit?.closed(code, reason);
    this.#outbox.detach();
    if (code !== undefined) this.#connection?.close(code, reason);
  }

  /** Takes note of the next message. @returns whether it counts still: the token may have expired */
  #take(seq: number, bytes: number): boolean {
    this.#inbox.take(seq, bytes);
    return this.#lease.check();
  }

  /** The client has its welcome. */
  #confirm(): void {
    if (this.#confirmed) return;
    this.#confirmed = true;
    this.#options.confirmed();
  }

  #renewed(identity: Identity): void {
    this.#options.audit?.renewed(identity);
    this.#open.renewed(identity);
  }

  /**
   * The broker has gone. All that the client has a right to, the last message of every rank too, comes before the close.
   */
  #lost(error: FluxError): void {
    this.#open.lost(error);
    this.#outbox.whenEmpty(() => this.end(CLOSE.brokerLost, error.message));
  }

  /** Runs what may find fault with the client, or have a fault itself: neither may harm other sessions. */
  #guard(action: () => void): void {
    if (this.#over) return;
    try {
      action();
    } catch (error) {
      if (error instanceof ProtocolError) this.end(error.closeCode, error.message);
      else this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    this.#options.onFault(error);
    this.end(CLOSE.internal, "a fault in the proxy");
  }
}
