/** A session's surroundings without I/O: a socket and a broker under the test's control. */
import type { Identity } from "../../../../proxy/auth/identity.js";
import { ACTIONS } from "../../../../proxy/auth/permissions.js";
import type {
  Broker,
  BrokerCall,
  BrokerRequest,
  EventHandler,
  ResponseHandler,
} from "../../../../proxy/broker/broker.js";
import { Subscriptions } from "../../../../proxy/broker/subscriptions.js";
import { Brakes } from "../../../../proxy/flow/brakes.js";
import { Scheduler } from "../../../../proxy/flow/scheduler.js";
import { Liveness } from "../../../../proxy/liveness/liveness.js";
import { Allowances } from "../../../../proxy/session/allowances.js";
import { ClientConnection, type ClientSocket } from "../../../../proxy/session/client-connection.js";
import { Sessions, type SessionsOptions } from "../../../../proxy/session/sessions.js";
import { Usage } from "../../../../proxy/usage.js";
import { Polls } from "../../../../proxy/watch/polls.js";
import { FluxError } from "../../../../src/errors.js";
import { type DataFrame, decodeDataFrame } from "../../../../src/protocol/frame.js";
import type { SequencedServerMessage, ServerMessage, Welcome } from "../../../../src/protocol/messages.js";
import { parseServerMessage } from "../../../../src/protocol/server-messages.js";

export class MemorySocket implements ClientSocket {
  readonly texts: string[] = [];
  /** The messages with a number. */
  readonly messages: (SequencedServerMessage | DataFrame)[] = [];
  /** The messages without a number, except those of the opening. */
  readonly others: ServerMessage[] = [];
  readonly closes: { code: number; reason: string }[] = [];
  /** All of it as it was. */
  readonly sent: (string | Uint8Array)[] = [];
  bufferedAmount = 0;
  sendText(text: string): void {
    this.sent.push(text);
    this.texts.push(text);
    if (/"type":"(welcome|challenge)"/.test(text)) return;
    const message = parseServerMessage(text);
    if ("id" in message) this.messages.push(message);
    else this.others.push(message);
  }
  sendBinary(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.messages.push(decodeDataFrame(bytes));
  }
  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }
  /** The welcome that came. */
  get welcome(): Welcome {
    const text = this.texts.find((text) => text.includes('"type":"welcome"'));
    if (text === undefined) throw new Error("no welcome has come");
    return JSON.parse(text) as Welcome;
  }
}

/** Whose token every session of these tests has: one that allows all. */
export const IDENTITY: Identity = {
  sub: "alice",
  userid: 1000,
  tokenId: "token-1",
  issuedAt: 0,
  expires: Math.floor(Date.now() / 1000) + 3600,
  jkt: undefined,
  permissions: { scope: new Set(ACTIONS) },
};

export interface OpenCall {
  call: BrokerCall;
  handler: ResponseHandler;
}

/** Answers attr.get by itself; the rest waits for the test. */
export class MemoryBroker implements Broker {
  readonly calls: OpenCall[] = [];
  readonly sent: BrokerRequest[] = [];
  readonly closed: Promise<FluxError | undefined>;
  congested = false;
  isClosed = false;
  attributes: Record<string, string> = { rank: "1", size: "4", "security.owner": "1000" };
  #resolveClosed!: (error: FluxError | undefined) => void;
  #drained: (() => void)[] = [];
  #lost: FluxError | undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  request(call: BrokerCall, handler: ResponseHandler): void {
    if (this.#lost) throw this.#lost;
    if (call.topic === "attr.get") {
      const { name } = json(call) as { name: string };
      handler.response({ value: this.attributes[name] });
    } else {
      this.calls.push({ call, handler });
    }
  }
  send(request: BrokerRequest): void {
    this.sent.push(request);
  }
  readonly #subscriptions = new Subscriptions(this);
  subscribe(prefix: string, handler: EventHandler): () => void {
    return this.#subscriptions.add(prefix, handler);
  }
  drained(): Promise<void> {
    return this.congested ? new Promise((resolve) => this.#drained.push(resolve)) : Promise.resolve();
  }
  drain(): void {
    this.congested = false;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
  close(): void {
    this.isClosed = true;
    this.#resolveClosed(undefined);
  }
  async released(): Promise<void> {
    await this.closed;
  }
  lose(): void {
    this.#lost = new FluxError("ECONNRESET", "broker closed the connection");
    for (const { handler } of this.calls) handler.error(this.#lost);
    this.#resolveClosed(this.#lost);
  }

  /** The handler of the request with `matchtag`. */
  handler(matchtag: number): ResponseHandler {
    const open = this.calls.findLast(({ call }) => call.matchtag === matchtag);
    if (open === undefined) throw new Error(`no request with matchtag ${matchtag}`);
    return open.handler;
  }
}

/** The payload of a request. */
export function json({ payload }: BrokerRequest): unknown {
  return JSON.parse(
    Buffer.from(payload as Uint8Array)
      .toString()
      .slice(0, -1),
  );
}

/** `size` is how many ranks the instance has; 4 by default. */
export type HarnessOptions = Partial<
  SessionsOptions & { helloTimeoutMs: number; peer: string; size: number }
>;

/** One WebSocket of a client. */
export interface Client {
  session: ClientConnection;
  socket: MemorySocket;
}

export interface Harness extends Client {
  sessions: Sessions;
  broker: MemoryBroker;
  /** All connections that the sessions have opened; the first is `broker`. */
  brokers: MemoryBroker[];
  faults: unknown[];
  /** Sends a message with the next number, over the first connection unless over another. */
  next(message: object, over?: Client): void;
  /** Opens another connection. */
  accept(): Client;
  /** Opens another connection, or takes one that is open, with this hello. */
  connect(hello?: object, over?: Client): Promise<Client>;
}

/** A session that has been welcomed, unless `options` make that impossible. */
export async function openSession(options: HarnessOptions & { hello?: boolean } = {}): Promise<Harness> {
  const brokers: MemoryBroker[] = [];
  const broker = new MemoryBroker();
  if (options.size !== undefined) broker.attributes["size"] = String(options.size);
  const faults: unknown[] = [];
  const connectBroker = async () => {
    const connection = brokers.length === 0 ? broker : new MemoryBroker();
    brokers.push(connection);
    return connection;
  };
  const usage = new Usage();
  const scheduler = new Scheduler();
  const all = {
    verify: async () => IDENTITY,
    connectBroker,
    onFault: (error: unknown) => faults.push(error),
    usage,
    polls: new Polls({ connectBroker: options.connectBroker ?? connectBroker, usage, scheduler }),
    scheduler,
    liveness: new Liveness({ intervalMs: 5000, probe: (_, answer) => answer.response() }),
    allowances: new Allowances(1024),
    brakes: new Brakes(),
    graceMs: 120_000,
    maxGraceMs: 600_000,
    sessionsPerSubject: 256,
    longSessionsPerSubject: 16,
    helloTimeoutMs: 10_000,
    ...options,
  };
  const sessions = new Sessions(all);
  const accept = (): Client => {
    const socket = new MemorySocket();
    return { socket, session: new ClientConnection(socket, { ...all, sessions }) };
  };
  const client = accept();
  const connect = async (hello: object = {}, other = accept()) => {
    other.session.text(JSON.stringify({ type: "hello", token: "t", ...hello }));
    await settle();
    return other;
  };
  let seq = 0;
  const next = (message: object, { session } = client) =>
    session.text(JSON.stringify({ ...message, seq: ++seq }));
  if (options.hello !== false) {
    client.session.text('{"type":"hello","token":"t"}');
    await settle();
  }
  return { ...client, sessions, broker, brokers, faults, next, accept, connect };
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise(setImmediate);
}
