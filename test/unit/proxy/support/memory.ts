/** A session's surroundings without I/O: a socket and a broker that are told what to do. */
import type { Identity } from "../../../../proxy/auth/identity.js";
import { ACTIONS } from "../../../../proxy/auth/permissions.js";
import type { Broker, BrokerCall, BrokerRequest, ResponseHandler } from "../../../../proxy/broker/broker.js";
import { Session, type SessionOptions, type SessionSocket } from "../../../../proxy/session/session.js";
import { Usage } from "../../../../proxy/usage.js";
import { FluxError } from "../../../../src/errors.js";
import { type DataFrame, decodeDataFrame } from "../../../../src/protocol/frame.js";
import type { ServerMessage } from "../../../../src/protocol/messages.js";
import { parseServerMessage } from "../../../../src/protocol/parse.js";

class MemorySocket implements SessionSocket {
  readonly texts: string[] = [];
  readonly messages: (ServerMessage | DataFrame)[] = [];
  readonly closes: { code: number; reason: string }[] = [];
  paused = false;
  bufferedAmount = 0;
  sendText(text: string): void {
    this.texts.push(text);
    if (!/"type":"(welcome|challenge|expiring|renewed)"/.test(text))
      this.messages.push(parseServerMessage(text) as ServerMessage);
  }
  sendBinary(bytes: Uint8Array): void {
    this.messages.push(decodeDataFrame(bytes));
  }
  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
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
  paused = false;
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
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
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

export interface Harness {
  session: Session;
  socket: MemorySocket;
  broker: MemoryBroker;
  /** All connections that the session has opened; the first is `broker`. */
  brokers: MemoryBroker[];
  faults: unknown[];
  /** Sends a message with the next number. */
  next(message: object): void;
}

/** A session that has been welcomed, unless `options` make that impossible. */
export async function openSession(
  options: Partial<SessionOptions> & { hello?: boolean } = {},
): Promise<Harness> {
  const socket = new MemorySocket();
  const brokers: MemoryBroker[] = [];
  const broker = new MemoryBroker();
  const faults: unknown[] = [];
  const session = new Session(socket, {
    verify: async () => IDENTITY,
    connectBroker: async () => {
      const connection = brokers.length === 0 ? broker : new MemoryBroker();
      brokers.push(connection);
      return connection;
    },
    onFault: (error) => faults.push(error),
    usage: new Usage(),
    helloTimeoutMs: 10_000,
    ...options,
  });
  let seq = 0;
  const next = (message: object) => session.text(JSON.stringify({ ...message, seq: ++seq }));
  if (options.hello !== false) {
    session.text('{"type":"hello","token":"t"}');
    await settle();
  }
  return { session, socket, broker, brokers, faults, next };
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise(setImmediate);
}
