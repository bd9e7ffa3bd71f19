/** One connection to a Flux broker over its UNIX socket: it sends requests, and gives each response to its request's handler. RFC 6. */
import type { Socket } from "node:net";
import { errnoOf, FluxError } from "../../src/errors.js";
import { DEFAULT_LIMIT, encodeFrame, FrameDecoder } from "../wire/framing.js";
import type { Message, ResponseMessage } from "../wire/message.js";
import { FLAG, MATCHTAG_NONE, NODEID_ANY, USERID_UNKNOWN, WireError } from "../wire/message.js";
import {
  AnswerError,
  type Broker,
  type BrokerCall,
  type BrokerRequest,
  type EventHandler,
  type ResponseHandler,
} from "./broker.js";
import { openBrokerSocket } from "./connect.js";
import { decodeErrorText, decodePayload } from "./payload.js";
import { Subscriptions } from "./subscriptions.js";

/**
 * Callers may choose lower matchtags, since RFC 42 write names one. The connection chooses from here on.
 */
const FIRST_OWN_MATCHTAG = 0x80000000;
const LAST_MATCHTAG = 0xffffffff;

/** Bytes waiting to be written from which on a connection is congested. */
const CONGESTED = 1024 * 1024;

/** The time for a closed connection to write the messages that wait, in milliseconds. */
const LINGER_MS = 1000;

const ENODATA = errnoOf("ENODATA");

/** The fate of the requests on a lost connection is unknown, however it was lost. */
const lost = (message: string, cause?: unknown) => new FluxError("ECONNRESET", message, { cause });

/** Options of a connection to a broker. */
export interface ConnectOptions {
  /** The largest message that the broker may send, in bytes. @default 64 MiB */
  limit?: number;
  /** The time to connect and be accepted, in milliseconds. @default 10,000 */
  timeoutMs?: number;
  /** The sender of every message. @default the user that the broker sees at the socket */
  credential?: Credential;
}

/** The userid and the role bits (RFC 12) of a message. The broker believes the instance owner, and no guest. */
export interface Credential {
  userid: number;
  rolemask: number;
}

const OURSELVES: Credential = { userid: USERID_UNKNOWN, rolemask: 0 };

interface OpenRequest {
  topic: string;
  streaming: boolean;
  /** undefined once it has failed here. The matchtag stays in use until the broker has ended the request. */
  handler: ResponseHandler | undefined;
}

/** A connection to a broker over its UNIX socket. */
export class BrokerConnection implements Broker {
  readonly closed: Promise<FluxError | undefined>;
  readonly #socket: Socket;
  readonly #credential: Credential;
  readonly #decoder: FrameDecoder;
  readonly #open = new Map<number, OpenRequest>();
  readonly #subscriptions = new Subscriptions(this);
  #resolveClosed!: (error: FluxError | undefined) => void;
  readonly #released: Promise<void>;
  /** True if `released` was called: the socket then stays open until the broker closes it. */
  #kept = false;
  #over = false;
  #corked = false;
  #nextMatchtag = FIRST_OWN_MATCHTAG;
  /** Shared by all calls of `drained` that wait. Undefined while none waits. */
  #drained: Promise<void> | undefined;

  /** @throws TypeError, FluxError as {@link openBrokerSocket} does */
  static async connect(uri: string, options: ConnectOptions = {}): Promise<BrokerConnection> {
    const socket = await openBrokerSocket(uri, options.timeoutMs ?? 10_000);
    return new BrokerConnection(socket, options);
  }

  private constructor(socket: Socket, { limit = DEFAULT_LIMIT, credential = OURSELVES }: ConnectOptions) {
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#released = new Promise((resolve) => socket.on("close", () => resolve()));
    this.#socket = socket;
    this.#credential = credential;
    this.#decoder = new FrameDecoder(limit);
    let cause: unknown;
    socket.on("error", (error) => {
      cause = error;
    });
    socket.on("close", () => this.#end(lost("broker closed the connection", cause)));
    socket.on("data", (chunk) => {
      this.#deliver(this.#decoder.push(chunk));
    });
    socket.resume();
  }

  request(call: BrokerCall, handler: ResponseHandler): void {
    if (this.#over) throw lost("the connection to the broker is over");
    const matchtag = call.matchtag ?? this.#ownMatchtag();
    if (this.#open.has(matchtag)) {
      throw new FluxError("EBUSY", `matchtag ${matchtag} is in use`, { topic: call.topic });
    }
    const streaming = call.streaming ?? false;
    this.#open.set(matchtag, { topic: call.topic, streaming, handler });
    this.#write(call, matchtag, streaming ? FLAG.streaming : 0);
  }

  send(request: BrokerRequest): void {
    if (!this.#over) this.#write(request, MATCHTAG_NONE, FLAG.noresponse);
  }

  subscribe(prefix: string, handler: EventHandler): () => void {
    return this.#subscriptions.add(prefix, handler);
  }

  get congested(): boolean {
    return !this.#over && this.#socket.writableLength > CONGESTED;
  }

  async drained(): Promise<void> {
    if (!this.congested) return;
    this.#drained ??= this.#drain();
    await this.#drained;
  }

  async #drain(): Promise<void> {
    await Promise.race([this.closed, new Promise((resolve) => this.#socket.once("drain", resolve))]);
    this.#drained = undefined;
  }

  close(): void {
    this.#end(undefined);
  }

  released(): Promise<void> {
    this.#kept = true;
    return this.#released;
  }

  #ownMatchtag(): number {
    while (this.#open.has(this.#nextMatchtag)) this.#advanceMatchtag();
    const matchtag = this.#nextMatchtag;
    this.#advanceMatchtag();
    return matchtag;
  }

  #advanceMatchtag(): void {
    this.#nextMatchtag = this.#nextMatchtag === LAST_MATCHTAG ? FIRST_OWN_MATCHTAG : this.#nextMatchtag + 1;
  }

  #write({ topic, nodeid = NODEID_ANY, payload }: BrokerRequest, matchtag: number, flags: number): void {
    if (!this.#corked) {
      // The messages of one turn of the event loop leave in one system call.
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    const frame = encodeFrame({
      type: "request",
      flags: FLAG.topic | FLAG.route | (payload === undefined ? 0 : FLAG.payload) | flags,
      ...this.#credential,
      routes: [],
      topic,
      payload,
      nodeid,
      matchtag,
    });
    this.#socket.write(frame);
  }

  /** Hands out the messages that have arrived, until a handler has closed the connection. */
  #deliver(messages: Iterable<Message>): void {
    try {
      for (const message of messages) {
        if (this.#over) return;
        if (message.type === "response") this.#respond(message);
        else if (message.type === "event") this.#subscriptions.deliver(message);
      }
    } catch (cause) {
      if (!(cause instanceof WireError)) throw cause;
      this.#end(lost(`broker sent what is no Flux message: ${cause.message}`, cause));
    }
  }

  #respond(message: ResponseMessage): void {
    const open = this.#open.get(message.matchtag);
    if (open === undefined) return;
    const { topic, streaming, handler } = open;
    if (message.errnum !== 0) {
      this.#open.delete(message.matchtag);
      if (streaming && message.errnum === ENODATA) handler?.end();
      else handler?.error(new AnswerError(message.errnum, decodeErrorText(message.payload), { topic }));
      return;
    }
    if (!streaming) this.#open.delete(message.matchtag);
    if (handler === undefined) return;
    let payload: ReturnType<typeof decodePayload> | undefined;
    try {
      payload = message.payload && decodePayload(message.payload);
    } catch (cause) {
      open.handler = undefined;
      handler.error(new FluxError("EPROTO", (cause as Error).message, { topic, cause }));
      return;
    }
    handler.response(payload);
  }

  /** @param error why the connection is over; undefined if it was closed here */
  #end(error: FluxError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.removeAllListeners("data");
    const open = [...this.#open.values()];
    this.#open.clear();
    // Very many requests may be open, of few topics.
    const failures = new Map<string, FluxError>();
    for (const { handler, topic } of open) {
      const failure = failures.get(topic) ?? failureOf(error, topic);
      failures.set(topic, failure);
      handler?.error(failure);
    }
    this.#subscriptions.end((topic) => failureOf(error, topic));
    if (this.#kept) this.#awaitRelease();
    else if (error) this.#socket.destroy();
    else this.#linger();
    this.#resolveClosed(error);
  }

  /** Sends no more, drops further messages, and waits for the broker to close: by then it has read everything. */
  #awaitRelease(): void {
    this.#socket.unref();
    this.#socket.resume();
    this.#socket.end();
  }

  /** Writes the messages that wait, such as a last signal, within `LINGER_MS`. */
  #linger(): void {
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
    this.#socket.once("close", () => clearTimeout(timer));
    this.#socket.destroySoon();
  }
}

/** The error of a request whose connection is over. */
function failureOf(error: FluxError | undefined, topic: string): FluxError {
  const options = { topic, cause: error?.cause };
  return error
    ? new FluxError(error.errno, error.message, options)
    : new FluxError("ECANCELED", "the connection to the broker was closed", options);
}
