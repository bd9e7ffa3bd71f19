/**
 * A UNIX socket that accepts as a broker does, records what it is sent, and says what the test wants it to.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFrame, FrameDecoder } from "../../../../proxy/wire/framing.js";
import { FLAG, type RequestMessage, ROLE } from "../../../../proxy/wire/message.js";

export type Responder = (request: RequestMessage, peer: FakePeer) => void;

/** The broker's end of one connection. */
export class FakePeer {
  readonly requests: RequestMessage[] = [];
  readonly closed: Promise<void>;
  constructor(
    readonly socket: Socket,
    readonly broker: FakeBroker,
  ) {
    const decoder = new FrameDecoder();
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.on("data", (chunk) => {
      broker.bytesReceived += chunk.length;
      for (const message of decoder.push(chunk)) {
        if (message.type !== "request") throw new Error("not a request");
        this.requests.push(message);
        broker.respond(message, this);
        broker.wake();
      }
    });
  }

  respond(matchtag: number, answer: { payload?: object | string; errnum?: number; topic?: string }): void {
    this.socket.write(frameOf(matchtag, answer));
  }
}

/** A response as bytes; a payload that is a string goes out as it is, with its NUL. */
export function frameOf(
  matchtag: number,
  { payload, errnum = 0, topic = "t" }: { payload?: object | string; errnum?: number; topic?: string },
): Uint8Array {
  const text = typeof payload === "object" ? JSON.stringify(payload) : payload;
  return encodeFrame({
    type: "response",
    flags: FLAG.topic | FLAG.route | (text === undefined ? 0 : FLAG.payload),
    userid: 0,
    rolemask: ROLE.owner | ROLE.local,
    routes: [],
    topic,
    payload: text === undefined ? undefined : Buffer.from(`${text}\0`),
    errnum,
    matchtag,
  });
}

export interface FakeBrokerOptions {
  /** Called with each request. Default: nothing is answered. */
  respond?: Responder;
  /** The first bytes of a connection. Default: accepted. */
  greeting?: Uint8Array;
  /** Instead of a greeting. */
  accept?: (socket: Socket) => void;
}

export class FakeBroker {
  readonly peers: FakePeer[] = [];
  bytesReceived = 0;
  connections = 0;
  respond: Responder;
  readonly #directory = mkdtempSync(join(tmpdir(), "fake-broker-"));
  readonly path = join(this.#directory, "local");
  readonly uri = `local://${this.path}`;
  readonly #server: Server;
  #waiters: (() => void)[] = [];

  private constructor(options: FakeBrokerOptions) {
    this.respond = options.respond ?? (() => {});
    this.#server = createServer((socket) => {
      this.connections++;
      if (options.accept) {
        socket.on("error", () => {});
        options.accept(socket);
      } else {
        this.peers.push(new FakePeer(socket, this));
        socket.write(options.greeting ?? Uint8Array.of(0));
      }
      this.wake();
    });
  }

  static async start(options: FakeBrokerOptions = {}): Promise<FakeBroker> {
    const broker = new FakeBroker(options);
    await new Promise<void>((resolve) => broker.#server.listen(broker.path, resolve));
    return broker;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  /** Ends every connection, as a broker does that dies. */
  kill(): void {
    for (const { socket } of this.peers) socket.destroy();
  }

  async close(): Promise<void> {
    this.kill();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Answers attr.get as rank 0 of two brokers would, and leaves the rest to `then`. */
export function withAttributes(then: Responder = () => {}, owner = 1000, more: object = {}): Responder {
  const attributes: Record<string, string> = {
    rank: "0",
    size: "2",
    "security.owner": String(owner),
    ...more,
  };
  return (request, peer) => {
    if (request.topic !== "attr.get") return then(request, peer);
    const { name } = payloadOf(request) as { name: string };
    peer.respond(request.matchtag, { payload: { value: attributes[name], flags: 0 } });
  };
}

export function payloadOf(request: RequestMessage): unknown {
  return JSON.parse(Buffer.from((request.payload as Uint8Array).subarray(0, -1)).toString());
}
