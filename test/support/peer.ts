/** A proxy that does what a test tells it, at the far end of a memory transport. All that passes is the real codec. */
import { Flux } from "../../src/index.js";
import { type DataFrame, decodeDataFrame, encodeDataFrame } from "../../src/protocol/frame.js";
import type {
  Ack,
  ClientMessage,
  NewToken,
  Request,
  ServerMessage,
  Welcome,
} from "../../src/protocol/messages.js";
import { parseClientMessage, parseHello, parseProof } from "../../src/protocol/parse.js";
import { Sequence } from "../../src/protocol/sequence.js";
import { Lease } from "../../src/session/lease.js";
import { Session } from "../../src/session/session.js";
import { type MemoryPeer, memoryConnector } from "../../src/transport/memory.js";
import type { Connector, TransportClose } from "../../src/transport/transport.js";

type Unnumbered<T> = T extends { seq: number } ? Omit<T, "seq"> : never;

/** What a proxy sends, before it is numbered. */
export type Outgoing = Unnumbered<ServerMessage | DataFrame>;

/** What a client sends after its hello, without the number that was checked. */
export type Incoming = Unnumbered<Exclude<ClientMessage, Ack | NewToken> | DataFrame>;

export const WELCOME: Omit<Welcome, "type"> = {
  session: "s",
  rank: 0,
  size: 4,
  owner: 1000,
  userid: 1000,
  expires: 4102444800,
  time: 0,
};

// Taken before a test puts fake timers in its place.
const immediate = globalThis.setImmediate;

/** Waits until all that is on its way has arrived. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => void immediate(resolve));
}

export class ScriptedProxy {
  /** The client's token; undefined before its hello. */
  token: string | undefined;
  /** All that came after the hello, in order, but acknowledgements. */
  readonly received: Incoming[] = [];
  /** The proofs that came. */
  readonly proofs: string[] = [];
  /** The tokens that came after the one of the hello. */
  readonly tokens: string[] = [];
  /** The sequence numbers that the client has acknowledged. */
  readonly acks: number[] = [];
  /** How the connection ended. */
  closed: TransportClose | undefined;
  /** Is told each message as it comes. */
  onMessage: (message: Incoming) => void = () => {};
  /** Is told of the hello. */
  onHello: () => void = () => {};
  readonly connector: Connector;
  #peer!: MemoryPeer;
  readonly #in = new Sequence();
  readonly #out = new Sequence();

  constructor() {
    this.connector = memoryConnector((peer) => {
      this.#peer = peer;
      return {
        opened: () => {},
        message: (data) => this.#receive(data),
        closed: (close) => {
          this.closed = close;
        },
      };
    });
  }

  /** The requests that came, oldest first. */
  get requests(): Omit<Request, "seq">[] {
    return this.received.filter((message) => message.type === "request");
  }

  /** The number of the last message that was sent. */
  get sent(): number {
    return this.#out.last;
  }

  welcome(welcome: Partial<Welcome> = {}): void {
    this.raw(JSON.stringify({ type: "welcome", ...WELCOME, ...welcome }));
  }

  /** Sends messages, with their numbers. */
  send(...messages: Outgoing[]): void {
    for (const message of messages) {
      const numbered = { ...message, seq: this.#out.next() };
      this.raw(numbered.type === "data" ? encodeDataFrame(numbered) : JSON.stringify(numbered));
    }
  }

  /** Sends anything. */
  raw(data: string | Uint8Array<ArrayBuffer>): void {
    this.#peer.send(data);
  }

  close(code: number, reason = ""): void {
    this.#peer.close(code, reason);
  }

  drop(): void {
    this.#peer.drop();
  }

  #receive(data: string | Uint8Array): void {
    if (this.token === undefined) {
      this.token = parseHello(data as string).token;
      this.onHello();
      return;
    }
    if (typeof data === "string" && data.startsWith('{"type":"proof"')) {
      this.proofs.push(parseProof(data).proof);
      return;
    }
    const message = typeof data === "string" ? parseClientMessage(data) : decodeDataFrame(data);
    if (message.type === "ack") {
      this.acks.push(message.seq);
      return;
    }
    if (message.type === "token") {
      this.tokens.push(message.token);
      return;
    }
    const { seq, ...rest } = message;
    this.#in.receive(seq);
    this.received.push(rest as Incoming);
    this.onMessage(rest as Incoming);
  }
}

/** A session that is open, or at least said hello, and the proxy at its end. */
export async function openSession(
  welcome?: Partial<Welcome>,
): Promise<{ session: Session; proxy: ScriptedProxy }> {
  const proxy = new ScriptedProxy();
  proxy.onHello = () => proxy.welcome(welcome);
  const session = new Session(proxy.connector, new Lease(async () => "token", undefined));
  await settled();
  return { session, proxy };
}

/** A handle of an open session, and the proxy at its end. */
export async function openFlux(welcome?: Partial<Welcome>): Promise<{ flux: Flux; proxy: ScriptedProxy }> {
  const { session, proxy } = await openSession(welcome);
  return { flux: new Flux(session), proxy };
}

/** Keeps all that an observer is told, for one assertion. */
export class Recorder<T = unknown> {
  readonly values: T[] = [];
  /** "completed", or what it errored with; each end that came. */
  readonly ends: unknown[] = [];
  readonly next = (value: T): void => {
    this.values.push(value);
  };
  readonly error = (error: unknown): void => {
    this.ends.push(error);
  };
  readonly complete = (): void => {
    this.ends.push("completed");
  };
}

const encoder = new TextEncoder();

export const bytes = (text: string): Uint8Array => encoder.encode(text);

/** A plain copy, so that a Buffer or a view compares equal. */
export const plain = (data: Uint8Array): number[] => [...data];

/** The bytes of what the client put on an input stream. */
export const inputOf = (proxy: ScriptedProxy, stream = "stdin"): string =>
  proxy.received
    .flatMap((message) => (message.type === "data" && message.stream === stream ? [...message.data] : []))
    .map((byte) => String.fromCharCode(byte))
    .join("");

/** What a rank sends of a process that starts and ends. */
export const started = (id: number, rank = 0, pid = 100 + rank): Outgoing => ({
  type: "response",
  id,
  rank,
  payload: { type: "started", pid },
});

export const output = (id: number, text: string, rank = 0, stream = "stdout"): Outgoing => ({
  type: "data",
  id,
  rank,
  stream,
  data: bytes(text),
});

export const finished = (id: number, status = 0, rank = 0): Outgoing => ({
  type: "response",
  id,
  rank,
  payload: { type: "finished", status },
});

export const end = (id: number, rank = 0): Outgoing => ({ type: "end", id, rank });

export const failed = (id: number, errno: number, rank = 0, message = ""): Outgoing => ({
  type: "error",
  id,
  rank,
  errno,
  message,
});
