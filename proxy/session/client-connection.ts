/**
 * One WebSocket of a client, without I/O: its methods are the events of the socket, and a {@link ClientSocket} sends. After
 * `welcome` its messages go to its session, until the session has another connection.
 */
import { randomUUID } from "node:crypto";
import { FluxError } from "../../src/errors.js";
import { closeReason } from "../../src/protocol/close-reason.js";
import type { Hello } from "../../src/protocol/messages.js";
import { CLOSE, malformed, ProtocolError } from "../../src/protocol/protocol-error.js";
import type { Audit } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { OutboxSocket } from "../flow/outbox.js";
import { Opening } from "./opening.js";
import type { Session, SessionConnection } from "./session.js";
import type { Sessions } from "./sessions.js";

/** The proxy's end of one WebSocket. */
export interface ClientSocket extends OutboxSocket {
  /** Starts the closing handshake. */
  close(code: number, reason: string): void;
}

/** The proxy's parts that a connection uses. */
export interface ClientConnectionOptions {
  sessions: Sessions;
  /** Verifies a token. Rejects with a FluxError that has the reason of a refusal. */
  verify(token: string): Promise<Identity>;
  audit?: Audit | undefined;
  /** The client's address, for the audit. */
  peer?: string | undefined;
  /** Receives faults of the proxy itself. They close the connection with 4500. */
  onFault(error: unknown): void;
  /** The time for a client's hello, in milliseconds. */
  helloTimeoutMs: number;
}

type State = { name: "opening"; opening: Opening } | { name: "open"; session: Session } | { name: "closed" };

/** The proxy's end of one WebSocket, from its opening to its close. */
export class ClientConnection implements SessionConnection {
  readonly socket: ClientSocket;
  readonly #options: ClientConnectionOptions;
  #state: State;

  /** The WebSocket has opened. */
  constructor(socket: ClientSocket, options: ClientConnectionOptions) {
    this.socket = socket;
    this.#options = options;
    const opening = new Opening({
      verify: options.verify,
      helloTimeoutMs: options.helloTimeoutMs,
      send: (message) => this.send(message),
      accepted: (identity, hello) => this.#enterSession(identity, hello),
      close: (code, reason) => this.#refuse(code, reason),
      fault: (error) => this.#fault(error),
    });
    this.#state = { name: "opening", opening };
  }

  /** True if the client was sent `welcome`. */
  get welcomed(): boolean {
    return this.#state.name === "open";
  }

  /** A text message has arrived. */
  text(text: string): void {
    this.#guard((state) => {
      if (state.name === "opening") state.opening.text(text);
      else if (state.name === "open") state.session.text(text);
    });
  }

  /** A binary message has arrived. */
  binary(bytes: Uint8Array): void {
    this.#guard((state) => {
      if (state.name !== "open") throw malformed("message before welcome");
      state.session.binary(bytes);
    });
  }

  /** The socket has sent some of its buffered bytes. */
  drained(): void {
    if (this.#state.name === "open") this.#state.session.drained();
  }

  /**
   * The WebSocket has closed.
   * @param ended the code with which the client closed; undefined if the connection was lost
   */
  closed(ended?: number): void {
    const state = this.#leave();
    if (state.name === "open") state.session.lostConnection(ended);
  }

  /** The WebSocket is being closed with `code`, because the client broke RFC 6455. */
  broken(code: number, reason: string): void {
    this.#end(code, reason);
  }

  /** Nothing has arrived for too long. The session stays, since the client may resume it. */
  silent(): void {
    const state = this.#leave();
    if (state.name === "open") state.session.lostConnection(undefined);
    if (state.name !== "closed") this.socket.close(CLOSE.timeout, "nothing has come for too long");
  }

  /** The proxy stops. */
  shutdown(): void {
    this.#end(CLOSE.goingAway, "the proxy stops");
  }

  /** Sends a message outside of the sequence. */
  send(message: object): void {
    if (this.#state.name !== "closed") this.socket.sendText(JSON.stringify(message));
  }

  /** Leaves the session and closes: later messages of this socket are ignored. */
  close(code: number, reason: string): void {
    if (this.#leave().name !== "closed") this.socket.close(code, closeReason(reason));
  }

  async #enterSession(identity: Identity, { grace, resume }: Hello): Promise<void> {
    const { sessions, peer } = this.#options;
    if (resume) {
      const session = sessions.resume(identity, resume.id);
      if (session) session.attach(this, resume.received, { identity, id: resume.id });
      else this.#refuse(CLOSE.notResumable, "there is no such session to resume");
      return;
    }
    try {
      await sessions.open(identity, grace, peer, () => (this.#state.name === "opening" ? this : undefined));
    } catch (error) {
      if (error instanceof ProtocolError) this.#refuse(error.closeCode, error.message);
      else if (error instanceof FluxError) this.close(CLOSE.brokerLost, error.message);
      else throw error;
    }
  }

  /** Later messages go to this session. */
  enter(session: Session): void {
    if (this.#state.name === "opening") this.#state.opening.end();
    this.#state = { name: "open", session };
  }

  #guard(action: (state: State) => void): void {
    try {
      action(this.#state);
    } catch (error) {
      if (error instanceof ProtocolError) this.#end(error.closeCode, error.message);
      else this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    this.#options.onFault(error);
    this.#end(CLOSE.internal, "a fault in the proxy");
  }

  /** Closes, and ends the session if there is one. */
  #end(code: number, reason: string): void {
    if (this.#state.name === "open") this.#state.session.end(code, reason);
    else this.close(code, reason);
  }

  #refuse(code: number, reason: string): void {
    if (this.#state.name === "closed") return;
    if (code !== CLOSE.timeout)
      this.#options.audit?.session(randomUUID(), this.#options.peer).refused(reason);
    this.close(code, reason);
  }

  #leave(): State {
    const state = this.#state;
    if (state.name === "opening") state.opening.end();
    this.#state = { name: "closed" };
    return state;
  }
}
