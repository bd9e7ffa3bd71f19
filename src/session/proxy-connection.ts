/** One connection to the proxy: the opening (PROTOCOL.md), what arrives then, and whether the proxy is there at all. */
import { FluxError } from "../errors.js";
import { closeReason } from "../protocol/close-reason.js";
import { CLOSE, ProtocolError, type Welcome } from "../protocol/messages.js";
import { parseOpening } from "../protocol/server-messages.js";
import type { Connector, Transport, TransportClose } from "../transport/transport.js";
import type { SessionToken } from "./session-token.js";

/** How long the proxy may take to welcome us, in milliseconds. */
const OPENING_MS = 20_000;

/** How often we look whether there was a sign of life, in milliseconds: three looks find a dead peer. */
const LOOK_MS = 5_000;

/** How long a proxy may take to answer when there is reason to doubt, and how often we look from then on, in milliseconds. */
const PROBE_MS = 4_000;

export interface ProxyConnectionEvents {
  welcome(welcome: Welcome): void;
  /** What comes after the welcome. A ProtocolError that it, or `welcome`, throws is the proxy's fault, and the end. */
  message(data: string | Uint8Array): void;
  /** It is over, but not by `close`; nothing follows. `error` where the fault is ours, and is no loss. */
  closed(close: TransportClose, error?: FluxError): void;
}

export class ProxyConnection {
  readonly #transport: Transport;
  readonly #token: SessionToken;
  readonly #events: ProxyConnectionEvents;
  #looks: ReturnType<typeof setInterval> | undefined;
  #welcomed = false;
  #over = false;
  /** Looks since the last sign of life. */
  #silence = 0;

  /** @param hello the fields of the hello beside the token, as they are when it is sent */
  constructor(connect: Connector, token: SessionToken, hello: () => object, events: ProxyConnectionEvents) {
    this.#token = token;
    this.#events = events;
    this.#transport = connect({
      opened: () => this.#answer("hello", "token", () => token.token(), hello),
      message: (data) => this.#receive(data),
      closed: (close) => this.#closed(close),
    });
    // There is none if a page may not connect there, which throws.
    this.#lookEvery(OPENING_MS);
  }

  get transport(): Transport {
    return this.#transport;
  }

  /** Sends what PROTOCOL.md does not number. */
  send(message: object): void {
    if (!this.#over) this.#transport.send(JSON.stringify(message));
  }

  /** Asks for a sign of life, to be had soon. */
  probe(): void {
    if (!this.#welcomed || this.#over) return;
    this.#silence = 2;
    this.send({ type: "ping" });
    this.#lookEvery(PROBE_MS);
  }

  /** Closes it. Nothing is told of it any more. */
  close(code: number, reason: string): void {
    if (this.#end()) this.#transport.close(code, closeReason(reason));
  }

  #receive(data: string | Uint8Array): void {
    if (this.#over) return;
    this.#silence = 0;
    try {
      if (this.#welcomed) this.#events.message(data);
      // Binary data is no JSON, and is refused as that.
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

  /** Sends what the token gives. Without it there is nothing more to say. */
  #answer(type: string, field: string, give: () => Promise<string>, more = () => ({})): void {
    give().then(
      (value) => this.send({ type, [field]: value, ...more() }),
      (error: FluxError) => this.#fail(CLOSE.normal, `no ${field}`, error),
    );
  }

  /** Time that has passed proves nothing, since it may have been ours that stood still; a ping without an answer does. */
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

  /** What is half-open may take minutes to close: we do not wait for that. */
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
