/** One connection to the proxy: its opening, its messages, its liveness. PROTOCOL.md, "Opening". */
import { FluxError } from "../errors.js";
import { closeReason } from "../protocol/close-reason.js";
import type { Welcome } from "../protocol/messages.js";
import { CLOSE, ProtocolError } from "../protocol/protocol-error.js";
import { parseOpening } from "../protocol/server-messages.js";
import type { Connector, Transport, TransportClose } from "../transport/transport.js";
import type { SessionToken } from "./session-token.js";

/** The limit for the opening, in milliseconds. */
const OPENING_MS = 20_000;

/** The interval of checks for a message from the proxy, in milliseconds. The third check in silence ends the connection. */
const LOOK_MS = 5_000;

/** The same interval from `probe` on, and the limit for the answer to its ping. */
const PROBE_MS = 4_000;

/** Callbacks of {@link ProxyConnection}. A ProtocolError that `welcome` or `message` throws closes the connection. */
export interface ProxyConnectionEvents {
  /** The opening is complete. */
  welcome(welcome: Welcome): void;
  /** A message after the welcome. */
  message(data: string | Uint8Array): void;
  /** The last event, unless `close` was called. `error` is set if this side has failed, which is not a loss. */
  closed(close: TransportClose, error?: FluxError): void;
}

/** Opens a connection, and closes it if the proxy breaks the protocol or falls silent. */
export class ProxyConnection {
  readonly #transport: Transport;
  readonly #token: SessionToken;
  readonly #events: ProxyConnectionEvents;
  #looks: ReturnType<typeof setInterval> | undefined;
  #welcomed = false;
  #over = false;
  /** The number of checks since the last message. */
  #silence = 0;

  /** @param hello returns the fields of the hello beside the token, at the time of sending */
  constructor(connect: Connector, token: SessionToken, hello: () => object, events: ProxyConnectionEvents) {
    this.#token = token;
    this.#events = events;
    this.#transport = connect({
      opened: () => this.#answer("hello", "token", () => token.token(), hello),
      message: (data) => this.#receive(data),
      closed: (close) => this.#closed(close),
    });
    // After `connect`, which throws if a page's policy forbids the URL.
    this.#lookEvery(OPENING_MS);
  }

  /** The transport, for the messages of the sequence. */
  get transport(): Transport {
    return this.#transport;
  }

  /** Sends a message outside of the sequence. */
  send(message: object): void {
    if (!this.#over) this.#transport.send(JSON.stringify(message));
  }

  /** Checks soon that the proxy is alive. */
  probe(): void {
    if (!this.#welcomed || this.#over) return;
    this.#silence = 2;
    this.send({ type: "ping" });
    this.#lookEvery(PROBE_MS);
  }

  /** Closes the connection, without an event. */
  close(code: number, reason: string): void {
    if (this.#end()) this.#transport.close(code, closeReason(reason));
  }

  #receive(data: string | Uint8Array): void {
    if (this.#over) return;
    this.#silence = 0;
    try {
      if (this.#welcomed) this.#events.message(data);
      // Binary data is refused here, since it is not JSON.
      else this.#opening(parseOpening(String(data)));
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      const error = new FluxError("EPROTO", `the proxy broke the protocol: ${cause.message}`, { cause });
      this.#fail(cause.closeCode, cause.message, error);
    }
  }

  #opening(message: ReturnType<typeof parseOpening>): void {
    if (message.type === "challenge") {
      this.#answer("proof", "proof", () => this.#token.proof(message.nonce));
      return;
    }
    this.#welcomed = true;
    this.#lookEvery(LOOK_MS);
    this.#events.welcome(message);
  }

  /** Sends a message with the result of `give`, or closes the connection if that rejects. */
  #answer(type: string, field: string, give: () => Promise<string>, more = () => ({})): void {
    give().then(
      (value) => this.send({ type, [field]: value, ...more() }),
      (error: FluxError) => this.#fail(CLOSE.normal, `no ${field}`, error),
    );
  }

  /** Silence alone proves nothing, since this machine may have slept. An unanswered ping does. */
  #look(): void {
    if (!this.#welcomed || this.#silence > 1) {
      this.#dead();
      return;
    }
    if (this.#silence++ > 0) this.send({ type: "ping" });
  }

  #lookEvery(ms: number): void {
    clearInterval(this.#looks);
    this.#looks = setInterval(() => this.#look(), ms);
  }

  /** Does not wait for the close of the transport: half open, that takes minutes. */
  #dead(): void {
    this.#fail(CLOSE.timeout, "the proxy does not answer");
  }

  #fail(code: number, reason: string, error?: FluxError): void {
    if (this.#over) return;
    this.close(code, reason);
    this.#events.closed({ code, reason, opened: true }, error);
  }

  #closed(close: TransportClose): void {
    if (this.#end()) this.#events.closed(close);
  }

  #end(): boolean {
    const first = !this.#over;
    this.#over = true;
    clearInterval(this.#looks);
    return first;
  }
}
