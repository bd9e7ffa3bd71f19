/**
 * One session, without I/O: it is told what arrives on the WebSocket and that it has closed, and talks to a
 * {@link SessionSocket} and to brokers. Everything it does is in PROTOCOL.md.
 */
import { randomUUID } from "node:crypto";
import type { FluxError } from "../../src/errors.js";
import { closeReason } from "../../src/protocol/close-reason.js";
import { decodeDataFrame } from "../../src/protocol/frame.js";
import { CLOSE, ProtocolError, type Welcome } from "../../src/protocol/messages.js";
import { parseClientMessage } from "../../src/protocol/parse.js";
import type { Signer } from "../../src/signing/signer.js";
import type { Audit, AuditSession } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { SendQueue } from "../call/send-queue.js";
import { Gate, type Inflow } from "../flow/gate.js";
import { Outbox, type OutboxSocket } from "../flow/outbox.js";
import type { Usage } from "../usage.js";
import { BrokerPool } from "./broker-pool.js";
import { Lease } from "./lease.js";
import { OpenSession } from "./open-session.js";
import { Opening, type Place } from "./opening.js";

/** The proxy's end of one WebSocket. */
export interface SessionSocket extends OutboxSocket, Inflow {
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
}

export interface SessionOptions {
  /** Accepts a token or throws a FluxError that says why not. */
  verify(token: string): Promise<Identity>;
  /** Opens a connection to the broker in the name of a user. */
  connectBroker(userid: number): Promise<Broker>;
  /** Signs for the user that the proxy runs as. */
  signer?: Signer | undefined;
  /** The processes of each subject, in all sessions. */
  usage: Usage;
  audit?: Audit | undefined;
  /** The address that the client comes from, for the audit. */
  peer?: string | undefined;
  /** Told of faults in the proxy itself, which close the session with 4500. */
  onFault(error: unknown): void;
  /** How long a client may take for its hello, in milliseconds. */
  helloTimeoutMs: number;
}

type State =
  | { name: "opening"; opening: Opening }
  | { name: "open"; session: OpenSession }
  | { name: "closed" };

export class Session {
  readonly id = randomUUID();
  readonly #socket: SessionSocket;
  readonly #options: SessionOptions;
  readonly #gate: Gate;
  readonly #outbox: Outbox;
  readonly #pool: BrokerPool;
  readonly #audit: AuditSession | undefined;
  #state: State;

  /** The WebSocket has opened. */
  constructor(socket: SessionSocket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#gate = new Gate(socket);
    this.#pool = new BrokerPool(this.#gate.lever());
    this.#outbox = new Outbox(socket, (blocked) => this.#pool.block(blocked));
    this.#audit = options.audit?.session(this.id, options.peer);
    const opening = new Opening({
      verify: (token) => options.verify(token),
      connect: ({ userid }) => this.#pool.open(() => options.connectBroker(userid)),
      helloTimeoutMs: options.helloTimeoutMs,
      send: (message) => this.#send(message),
      opened: (identity, broker, place) => this.#opened(identity, broker, place),
      close: (code, reason) => this.#close(code, reason),
      fault: (error) => this.#fault(error),
    });
    this.#state = { name: "opening", opening };
  }

  /** A text message has arrived. */
  text(text: string): void {
    this.#guard(() => {
      if (this.#state.name === "opening") this.#state.opening.text(text);
      else if (this.#state.name === "open") this.#state.session.message(parseClientMessage(text));
    });
  }

  /** A binary message has arrived. */
  binary(bytes: Uint8Array): void {
    this.#guard(() => {
      if (this.#state.name !== "open") throw new ProtocolError(CLOSE.malformed, "message before welcome");
      this.#state.session.data(decodeDataFrame(bytes));
    });
  }

  /** The network has taken some of what was sent. */
  drained(): void {
    this.#guard(() => this.#outbox.drained());
  }

  /** The WebSocket has closed, for whatever reason. */
  closed(): void {
    this.#end(undefined, "");
  }

  /** The proxy stops. */
  shutdown(): void {
    this.#close(CLOSE.goingAway, "the proxy stops");
  }

  #opened(identity: Identity, broker: Broker, place: Place): void {
    if (this.#state.name !== "opening") return;
    this.#state.opening.end();
    const { verify, connectBroker, signer, usage } = this.#options;
    const { userid, expires } = identity;
    const lease = new Lease(identity, {
      verify: (token) => verify(token),
      send: (message) => this.#send(message),
      renewed: (next) => {
        this.#audit?.renewed(next);
        session.renewed(next);
      },
      close: (code, reason) => this.#close(code, reason),
      fault: (error) => this.#fault(error),
    });
    const guard = (action: () => void) => this.#guard(action);
    const session: OpenSession = new OpenSession({
      lease,
      broker,
      place,
      pool: this.#pool,
      outbox: this.#outbox,
      queue: new SendQueue(this.#gate.lever(), guard),
      connectBroker: () => connectBroker(userid),
      signer,
      usage,
      audit: this.#audit,
      guard,
    });
    this.#state = { name: "open", session };
    this.#audit?.opened(identity);
    const welcome: Welcome = {
      type: "welcome",
      session: this.id,
      ...place,
      userid,
      expires,
      time: Date.now(),
    };
    this.#send(welcome);
    lease.start();
    void broker.closed.then((error) => {
      if (error) this.#guard(() => this.#lost(session, error));
    });
  }

  /**
   * The broker has gone. All that the client has a right to, the last message of every rank too, comes
   * before the close.
   */
  #lost(session: OpenSession, error: FluxError): void {
    session.lost(error);
    this.#outbox.whenEmpty(() => this.#close(CLOSE.brokerLost, error.message));
  }

  /** Sends a message that is not in the sequence. */
  #send(message: object): void {
    this.#socket.sendText(JSON.stringify(message));
  }

  /** Runs what may find fault with the client, or have a fault itself: neither may harm other sessions. */
  #guard(action: () => void): void {
    if (this.#state.name === "closed") return;
    try {
      action();
    } catch (error) {
      if (error instanceof ProtocolError) this.#close(error.closeCode, error.message);
      else this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    this.#options.onFault(error);
    this.#close(CLOSE.internal, "a fault in the proxy");
  }

  #close(code: number, reason: string): void {
    if (this.#state.name === "closed") return;
    this.#end(code, reason);
    this.#socket.close(code, closeReason(reason));
  }

  #end(code: number | undefined, reason: string): void {
    const state = this.#state;
    if (state.name === "closed") return;
    this.#state = { name: "closed" };
    if (state.name === "opening") state.opening.end();
    else state.session.end();
    this.#pool.close();
    if (code === CLOSE.unauthorized) this.#audit?.refused(reason);
    this.#audit?.closed(code, reason);
  }
}
