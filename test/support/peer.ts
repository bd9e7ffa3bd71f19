/** A proxy that a test scripts, at the far end of a memory transport. All messages pass the real codec. */
import { Flux } from "../../src/index.js";
import { parseClientMessage, parseHello, parseProof } from "../../src/protocol/client-messages.js";
import { type DataFrame, decodeDataFrame, encodeDataFrame } from "../../src/protocol/frame.js";
import type {
  Brake,
  Consumed,
  Hello,
  Request,
  SequencedClientMessage,
  SequencedServerMessage,
  Welcome,
} from "../../src/protocol/messages.js";
import { Sequence } from "../../src/protocol/sequence.js";
import type { LinkOptions } from "../../src/session/link.js";
import { SessionToken } from "../../src/session/session-token.js";
import { Sessions } from "../../src/session/sessions.js";
import { type MemoryPeer, memoryConnector } from "../../src/transport/memory.js";
import type { Connector, TransportClose } from "../../src/transport/transport.js";

type Unnumbered<T> = T extends { seq: number } ? Omit<T, "seq"> : never;

/** A proxy's message, without its number. */
export type Outgoing = Unnumbered<SequencedServerMessage | DataFrame>;

/** A client's message after its hello, without its number, which was checked. */
export type Incoming = Unnumbered<Exclude<SequencedClientMessage, Consumed | Brake> | DataFrame>;

export const WELCOME: Omit<Welcome, "type"> = {
  session: "s",
  rank: 0,
  size: 4,
  owner: 1000,
  userid: 1000,
  expires: 4102444800,
  time: 0,
  grace: 60_000,
  resume: "r1",
  received: 0,
};

// The real one, even after a test has installed fake timers.
const immediate = globalThis.setImmediate;

/** Waits until all messages in flight have arrived. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => void immediate(resolve));
}

/** A proxy with one session, over any number of connections. It sends over the last one. */
export class ScriptedProxy {
  /** The client's hello of each connection. */
  readonly hellos: Hello[] = [];
  /** All messages in order, over all connections. */
  readonly received: Incoming[] = [];
  readonly consumed: Unnumbered<Consumed>[] = [];
  readonly brakes: Unnumbered<Brake>[] = [];
  /** The client's proofs. */
  readonly proofs: string[] = [];
  /** The tokens after the hello's. */
  readonly tokens: string[] = [];
  /** The sequence numbers that the client has acknowledged. */
  readonly acks: number[] = [];
  pings = 0;
  /** The end of the last connection. */
  closed: TransportClose | undefined;
  /** Called with each message. */
  onMessage: (message: Incoming) => void = () => {};
  /** Called with each hello. */
  onHello: (hello: Hello) => void = () => {};
  readonly connector: Connector;
  /** All connections, oldest first. */
  readonly peers: MemoryPeer[] = [];
  /** All messages so far, to send again after a loss. */
  readonly #sent: (string | Uint8Array<ArrayBuffer>)[] = [];
  #in = new Sequence();

  constructor() {
    this.connector = memoryConnector((peer) => {
      this.peers.push(peer);
      this.closed = undefined;
      let hello: Hello | undefined;
      return {
        opened: () => {},
        message: (data) => {
          if (hello) {
            this.#receive(data);
          } else {
            hello = parseHello(data as string);
            this.hellos.push(hello);
            if (hello.resume === undefined) this.#begin();
            this.onHello(hello);
          }
        },
        closed: (close) => {
          if (peer === this.peers.at(-1)) this.closed = close;
        },
      };
    });
  }

  /** The client's last token; undefined before its hello. */
  get token(): string | undefined {
    return this.hellos.at(-1)?.token;
  }

  /** The requests, oldest first. */
  get requests(): Omit<Request, "seq">[] {
    return this.received.filter((message) => message.type === "request");
  }

  /** The number of the last message to the client. */
  get sent(): number {
    return this.#sent.length;
  }

  welcome(welcome: Partial<Welcome> = {}): void {
    this.raw(JSON.stringify({ type: "welcome", ...WELCOME, received: this.#in.last, ...welcome }));
  }

  /** Welcomes a client that resumes, and sends again the messages that it has not received. */
  resume(welcome: Partial<Welcome> = {}): void {
    this.welcome({ resume: `r${this.hellos.length}`, ...welcome });
    for (const message of this.#sent.slice(this.hellos.at(-1)?.resume?.received)) this.raw(message);
  }

  /** Numbers and sends messages. */
  send(...messages: Outgoing[]): void {
    for (const message of messages) {
      const numbered = { ...message, seq: this.#sent.length + 1 };
      this.#sent.push(numbered.type === "data" ? encodeDataFrame(numbered) : JSON.stringify(numbered));
      this.raw(this.#sent.at(-1) as string);
    }
  }

  /** Sends any JSON, also what no real proxy would send. */
  raw(data: string | Uint8Array<ArrayBuffer>): void {
    this.peers.at(-1)?.send(data);
  }

  close(code: number, reason = ""): void {
    this.peers.at(-1)?.close(code, reason);
  }

  drop(): void {
    this.peers.at(-1)?.drop();
  }

  /** A new session has numbers of its own. */
  #begin(): void {
    this.#sent.length = 0;
    this.#in = new Sequence();
  }

  #receive(data: string | Uint8Array): void {
    if (typeof data === "string" && data.startsWith('{"type":"proof"')) {
      this.proofs.push(parseProof(data).proof);
      return;
    }
    const message = typeof data === "string" ? parseClientMessage(data) : decodeDataFrame(data);
    switch (message.type) {
      case "ack":
        this.acks.push(message.seq);
        return;
      case "ping":
        this.pings++;
        return;
      case "pong":
        return;
      case "token":
        this.tokens.push(message.token);
        return;
    }
    const { seq, ...rest } = message;
    if (!this.#in.receive(seq, 0)) throw new Error(`message ${seq} came twice`);
    if (rest.type === "consumed") this.consumed.push(rest);
    else if (rest.type === "brake") this.brakes.push(rest);
    else {
      this.received.push(rest as Incoming);
      this.onMessage(rest as Incoming);
    }
  }
}

/** A session that has sent its hello, and its proxy. */
export async function openSession(
  welcome?: Partial<Welcome>,
  options?: LinkOptions,
): Promise<{ session: Sessions; proxy: ScriptedProxy }> {
  const proxy = new ScriptedProxy();
  proxy.onHello = ({ resume }) => (resume ? proxy.resume() : proxy.welcome(welcome));
  const session = new Sessions(
    proxy.connector,
    new SessionToken(async () => "token", undefined),
    undefined,
    options,
  );
  await settled();
  return { session, proxy };
}

/** A handle of an open session, and its proxy. */
export async function openFlux(welcome?: Partial<Welcome>): Promise<{ flux: Flux; proxy: ScriptedProxy }> {
  const { session, proxy } = await openSession(welcome);
  return { flux: new Flux(session), proxy };
}

/** An observer that records everything, for one assertion. */
export class Recorder<T = unknown> {
  readonly values: T[] = [];
  /** "completed" or the error, for each end. */
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

/** A plain copy, so that a Buffer and a view compare equal. */
export const plain = (data: Uint8Array): number[] => [...data];

/** The client's input on a stream, a character for each byte. */
export const inputOf = (proxy: ScriptedProxy, stream = "stdin"): string =>
  proxy.received
    .flatMap((message) => (message.type === "data" && message.stream === stream ? [...message.data] : []))
    .map((byte) => String.fromCharCode(byte))
    .join("");

// The messages of a rank whose process starts and ends.
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
