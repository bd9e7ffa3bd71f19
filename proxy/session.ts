/**
 * One session, without I/O: it is told what arrives on the WebSocket and that it has closed, and talks to a
 * {@link SessionSocket} and to brokers. Everything it does is in PROTOCOL.md.
 */
import { randomUUID } from "node:crypto";
import { FluxError } from "../src/errors.js";
import { closeReason } from "../src/protocol/close-reason.js";
import { ALL_RANKS, decodeDataFrame } from "../src/protocol/frame.js";
import {
  CLOSE,
  MAX_DATA,
  ProtocolError,
  parseClientMessage,
  type Request,
  ranksOf,
  type Welcome,
} from "../src/protocol/messages.js";
import { Sequence } from "../src/protocol/sequence.js";
import type { Identity } from "./auth/identity.js";
import type { Broker } from "./broker/broker.js";
import { BrokerPool, type Inflow } from "./broker-pool.js";
import { Call } from "./call.js";
import { CallTable } from "./call-table.js";
import { Lease } from "./lease.js";
import { Opening, type Place } from "./opening.js";
import { Outbox, type OutboxSocket } from "./outbox.js";

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
  /** Told of faults in the proxy itself, which close the session with 4500. */
  onFault(error: unknown): void;
  /** How long a client may take for its hello, in milliseconds. */
  helloTimeoutMs: number;
}

type State =
  | { name: "opening"; opening: Opening }
  | { name: "open"; lease: Lease; broker: Broker; place: Place }
  | { name: "closed" };

export class Session {
  readonly id = randomUUID();
  readonly #socket: SessionSocket;
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #received = new Sequence();
  readonly #calls = new CallTable();
  readonly #pool: BrokerPool;
  /** The connections that attaches have to themselves; undefined while one is opened. */
  readonly #attached = new Map<Call, Broker | undefined>();
  #state: State;

  /** The WebSocket has opened. */
  constructor(socket: SessionSocket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#pool = new BrokerPool(socket);
    this.#outbox = new Outbox(socket, (blocked) => this.#pool.block(blocked));
    const opening = new Opening({
      verify: (token) => options.verify(token),
      connect: ({ userid }) => this.#pool.open(() => options.connectBroker(userid)),
      helloTimeoutMs: options.helloTimeoutMs,
      send: (message) => socket.sendText(JSON.stringify(message)),
      opened: (identity, broker, place) => this.#welcome(identity, broker, place),
      close: (code, reason) => this.#close(code, reason),
      fault: (error) => this.#fault(error),
    });
    this.#state = { name: "opening", opening };
  }

  /** A text message has arrived. */
  text(text: string): void {
    this.#guard(() => {
      if (this.#state.name === "opening") this.#state.opening.text(text);
      else if (this.#state.name === "open") this.#message(text, this.#state);
    });
  }

  /** A binary message has arrived. */
  binary(bytes: Uint8Array): void {
    this.#guard(() => {
      if (this.#state.name !== "open") throw new ProtocolError(CLOSE.malformed, "message before welcome");
      const { seq, id, rank, stream, data } = decodeDataFrame(bytes);
      this.#received.receive(seq);
      if (rank !== ALL_RANKS) throw new ProtocolError(CLOSE.malformed, "input for one rank");
      if (data.length > MAX_DATA)
        throw new ProtocolError(CLOSE.malformed, `input of more than ${MAX_DATA} bytes`);
      this.#calls.get(id)?.input(stream, data);
      this.#pool.throttle();
    });
  }

  /** The network has taken some of what was sent. */
  drained(): void {
    this.#guard(() => this.#outbox.drained());
  }

  /** The WebSocket has closed, for whatever reason. */
  closed(): void {
    this.#end();
  }

  /** The proxy stops. */
  shutdown(): void {
    this.#close(CLOSE.goingAway, "the proxy stops");
  }

  #welcome(identity: Identity, broker: Broker, place: Place): void {
    const lease = new Lease(identity, {
      verify: (token) => this.#options.verify(token),
      send: (message) => this.#socket.sendText(JSON.stringify(message)),
      renewed: () => {},
      close: (code, reason) => this.#close(code, reason),
      fault: (error) => this.#fault(error),
    });
    if (this.#state.name === "opening") this.#state.opening.end();
    this.#state = { name: "open", lease, broker, place };
    const { userid, expires } = identity;
    const welcome: Welcome = {
      type: "welcome",
      session: this.id,
      ...place,
      userid,
      expires,
      time: Date.now(),
    };
    this.#socket.sendText(JSON.stringify(welcome));
    lease.start();
    void broker.closed.then((error) => {
      if (error) this.#guard(() => this.#lost(error));
    });
  }

  /**
   * The broker has gone. All that the client has a right to, the last message of every rank too, comes
   * before the close.
   */
  #lost(error: FluxError): void {
    for (const call of this.#calls.all()) call.fail(error);
    this.#outbox.whenEmpty(() => this.#close(CLOSE.brokerLost, error.message));
  }

  #message(text: string, { lease, broker, place }: State & { name: "open" }): void {
    if (!lease.check()) return;
    const message = parseClientMessage(text);
    if (message.type === "ack" || message.type === "token") {
      if (message.type === "ack") this.#outbox.ack(message.seq);
      else lease.renew(message.token);
      return;
    }
    this.#received.receive(message.seq);
    switch (message.type) {
      case "request":
        this.#request(message, ranksOf(message.nodeid, place.rank, place.size), broker, lease);
        break;
      case "eof":
        this.#calls.get(message.id)?.inputEof(message.stream);
        break;
      case "detach":
        this.#detach(message.id);
    }
    this.#pool.throttle();
  }

  #request(request: Request, ranks: number[], broker: Broker, lease: Lease): void {
    this.#calls.check(request.id, ranks.length);
    const call = new Call(request, ranks, {
      emit: (message) => this.#outbox.send(message),
      over: (over) => this.#over(over),
      guard: (callback) => this.#guard(callback),
    });
    this.#calls.add(call);
    if (call.kind === "attach") this.#attach(call, lease.identity.userid);
    else call.start(broker);
  }

  #attach(call: Call, userid: number): void {
    this.#attached.set(call, undefined);
    this.#pool
      .open(
        () => this.#options.connectBroker(userid),
        () => this.#attached.has(call),
      )
      .then(
        (broker) =>
          this.#guard(() => {
            if (broker === undefined) return;
            this.#attached.set(call, broker);
            call.start(broker);
          }),
        (error: unknown) =>
          this.#guard(() => {
            if (!(error instanceof FluxError)) throw error;
            call.fail(error);
          }),
      );
  }

  #detach(id: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (call.kind !== "attach") throw new ProtocolError(CLOSE.malformed, `request ${id} is no attach`);
    call.fail(new FluxError("ECANCELED", "detached"));
  }

  #over(call: Call): void {
    this.#calls.remove(call);
    const broker = this.#attached.get(call);
    this.#attached.delete(call);
    broker?.close();
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
    this.#end();
    this.#socket.close(code, closeReason(reason));
  }

  #end(): void {
    if (this.#state.name === "opening") this.#state.opening.end();
    if (this.#state.name === "open") this.#state.lease.end();
    this.#state = { name: "closed" };
    this.#pool.close();
    this.#attached.clear();
    this.#calls.clear();
  }
}
