/** One session, over one connection after another. PROTOCOL.md has all that it does. */
import type { FluxError } from "../../src/errors.js";
import { parseClientMessage } from "../../src/protocol/client-messages.js";
import { decodeDataFrame } from "../../src/protocol/frame.js";
import { MAX_FRAME, MAX_ID, type Welcome } from "../../src/protocol/messages.js";
import { CLOSE, malformed, ProtocolError } from "../../src/protocol/protocol-error.js";
import type { Signer } from "../../src/signing/signer.js";
import type { AuditSession } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { SendQueue } from "../call/send-queue.js";
import type { Brakes } from "../flow/brakes.js";
import { Outbox, type OutboxSocket } from "../flow/outbox.js";
import type { Scheduler } from "../flow/scheduler.js";
import type { HostNames } from "../hosts/host-names.js";
import type { Liveness } from "../liveness/liveness.js";
import type { Usage } from "../usage.js";
import type { Polls } from "../watch/polls.js";
import type { Allowance } from "./allowances.js";
import type { BrokerInfo } from "./broker-info.js";
import type { BrokerPool } from "./broker-pool.js";
import { Inbox } from "./inbox.js";
import { RequestTable } from "./request-table.js";
import { TokenLease } from "./token-lease.js";

/** A connection of a client, to its session. */
export interface SessionConnection {
  readonly socket: OutboxSocket;
  /** Later messages of the connection go to this session. */
  enter(session: Session): void;
  /** Sends a message outside of the sequence. */
  send(message: object): void;
  /** Leaves the session and closes. */
  close(code: number, reason: string): void;
}

/** The parts of a proxy that all its sessions share. */
export interface SharedResources {
  /** Verifies a token. Rejects with a FluxError that has the reason of a refusal. */
  verify(token: string): Promise<Identity>;
  /** Signs for the user that the proxy runs as. @default the proxy cannot sign */
  signer?: Signer | undefined;
  /** Counts the processes of each subject. */
  usage: Usage;
  /** The holders of processes that the proxy may stop. */
  brakes: Brakes;
  /** Polls ranks for all watches. */
  polls: Polls;
  /** True if a background process may write output that is not cut into lines. @default false */
  allowUnbufferedBackground?: boolean | undefined;
  /** Runs long work in turns. */
  scheduler: Scheduler;
  /** Probes the ranks that requests wait for. */
  liveness: Pick<Liveness, "add">;
  /** Receives faults of the proxy itself. They end the session with 4500. */
  onFault(error: unknown): void;
}

/** A new session, and its own parts. */
export interface SessionOptions extends SharedResources {
  id: string;
  identity: Identity;
  /** The time for which the session outlives a lost connection, in milliseconds. */
  grace: number;
  broker: Broker;
  pool: BrokerPool;
  brokerInfo: BrokerInfo;
  hosts: HostNames;
  allowance: Allowance;
  audit: AuditSession | undefined;
  /** Opens a further connection to the broker in the name of the client's user. */
  connectBroker(): Promise<Broker>;
  /**
   * Makes a new id that resumes the session.
   * @param used the id that the client has resumed with. It and up to eight others stay valid until `confirmed`
   */
  rotate(used: string | undefined): string;
  /** The client has the newest id: all others become invalid. */
  confirmed(): void;
  /** The session is over. */
  ended(): void;
}

/** The proxy's half of one session. */
export class Session {
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #lease: TokenLease;
  readonly #requests: RequestTable;
  /** Undefined while the client has no connection. */
  #connection: SessionConnection | undefined;
  /** True if a message has arrived over the present connection. */
  #confirmed = false;
  /** Ends the session after its grace, while the client has no connection. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { identity, audit, broker } = options;
    const guard = (action: () => void) => this.#guard(action);
    this.#outbox = new Outbox({
      replay: options.grace > 0,
      overrun: () => this.end(CLOSE.overrun, "too much was not acknowledged"),
    });
    this.#lease = new TokenLease(identity, {
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
    this.#requests = new RequestTable({
      ...options,
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

  /** The identity of the present token. */
  get identity(): Identity {
    return this.#lease.identity;
  }

  /** The time for which the session outlives a lost connection, in milliseconds. */
  get grace(): number {
    return this.#options.grace;
  }

  /** True if the client has no connection, and no request but watches is open. */
  get abandoned(): boolean {
    return this.#connection === undefined && this.#requests.idle;
  }

  /**
   * Continues over this connection, and over no other.
   * @param received the last message that the client has received
   * @param resumed the identity of the token and the id with which the client resumed; absent for a new session
   */
  attach(
    connection: SessionConnection,
    received: number,
    resumed?: { identity: Identity; id: string },
  ): void {
    const { id, grace, brokerInfo, audit, rotate } = this.#options;
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
      this.#requests.renewed(resumed.identity);
    }
    const identity = resumed?.identity ?? this.identity;
    const welcome: Welcome = {
      type: "welcome",
      session: id,
      ...brokerInfo,
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
    this.#requests.connected(identity);
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
        if (this.#take(message.seq, text.length)) this.#requests.message(message);
        this.#inbox.acknowledge();
    }
  }

  /** Skips `pong` while 1 MiB is unread: those bytes are a sign of life for the client when it reads them. */
  #pong(): void {
    const connection = this.#connection;
    if (connection && connection.socket.bufferedAmount < MAX_FRAME) connection.send({ type: "pong" });
  }

  /** A binary message has arrived. @throws ProtocolError */
  binary(bytes: Uint8Array): void {
    const frame = decodeDataFrame(bytes);
    if (frame.id < 1 || frame.id > MAX_ID) throw malformed(`id is not an integer of 1 to ${MAX_ID}`);
    this.#confirm();
    if (this.#take(frame.seq, bytes.length)) this.#requests.data(frame);
    this.#inbox.acknowledge();
  }

  /** The socket has sent some of its buffered bytes. */
  drained(): void {
    this.#guard(() => this.#outbox.drained());
  }

  /** The connection has closed. @param ended the code with which the client closed; undefined if the connection was lost */
  lostConnection(ended: number | undefined): void {
    const { grace, audit } = this.#options;
    this.#connection = undefined;
    if (ended !== undefined || grace === 0) {
      this.end(ended, "");
      return;
    }
    audit?.detached(grace);
    this.#outbox.detach();
    this.#requests.disconnected();
    this.#lease.pause();
    this.#timer = setTimeout(() => this.end(undefined, "nobody has resumed it in time"), grace);
  }

  /** Ends the session. @param code the close code; undefined if the client has no connection to be closed */
  end(code: number | undefined, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#lease.end();
    this.#requests.end();
    this.#options.pool.close();
    this.#options.ended();
    if (code === CLOSE.unauthorized) this.#options.audit?.refused(reason);
    this.#options.audit?.closed(code, reason);
    this.#outbox.detach();
    if (code !== undefined) this.#connection?.close(code, reason);
  }

  /** Takes the next message. @returns whether to act on it: not if the token has expired */
  #take(seq: number, bytes: number): boolean {
    this.#inbox.take(seq, bytes);
    return this.#lease.check();
  }

  /** A message over this connection shows that the client has its `welcome`. */
  #confirm(): void {
    if (this.#confirmed) return;
    this.#confirmed = true;
    this.#options.confirmed();
  }

  #renewed(identity: Identity): void {
    this.#options.audit?.renewed(identity);
    this.#requests.renewed(identity);
  }

  /** The broker connection was lost. The client gets every message, with the last one of each rank, before the close. */
  #lost(error: FluxError): void {
    this.#requests.lost(error);
    this.#outbox.whenEmpty(() => this.end(CLOSE.brokerLost, error.message));
  }

  /** Runs code that may throw: neither a client's error nor a fault of the proxy may harm other sessions. */
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
