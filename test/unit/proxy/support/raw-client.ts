/** A client that speaks PROTOCOL.md by hand: it sends the test's messages, right or wrong. */
import { WebSocket } from "ws";
import {
  ALL_RANKS,
  type DataFrame,
  decodeDataFrame,
  encodeDataFrame,
} from "../../../../src/protocol/frame.js";
import { decodeIdset } from "../../../../src/protocol/idset.js";
import {
  type Expiry,
  type SequencedServerMessage,
  SUBPROTOCOL,
  type Welcome,
} from "../../../../src/protocol/messages.js";
import { parseOpening, parseServerMessage } from "../../../../src/protocol/server-messages.js";

export type Received = SequencedServerMessage | DataFrame;

export class RawClient {
  readonly ws: WebSocket;
  /** All messages after the welcome, in order. */
  readonly received: Received[] = [];
  /** The nonces of the challenges that came. */
  readonly challenges: string[] = [];
  /** The messages of the renewal. */
  readonly expiries: Expiry[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  welcome: Welcome | undefined;
  /** True if output is acknowledged and consumed as it comes. */
  consumes = true;
  #seq = 0;
  /** The last message that the client before it has taken. */
  #base = 0;
  #waiters: (() => void)[] = [];
  #isClosed = false;

  constructor(url: string) {
    this.ws = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false });
    this.ws.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code, reason) => {
        this.#isClosed = true;
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
    this.ws.on("message", (data: Buffer, isBinary) => {
      if (this.welcome === undefined) {
        const opening = parseOpening(data.toString());
        if (opening.type === "welcome") this.welcome = opening;
        else this.challenges.push(opening.nonce);
      } else {
        const message = isBinary ? decodeDataFrame(data) : parseServerMessage(data.toString());
        if (!("id" in message)) {
          if ("expires" in message) this.expiries.push(message);
          this.#wake();
          return;
        }
        if (message.seq !== this.#base + this.received.length + 1)
          throw new Error(`message ${message.seq} out of sequence`);
        this.received.push(message);
        if (this.consumes && message.type === "data") this.consume(message);
      }
      this.#wake();
    });
  }

  /** A client that has been welcomed. @param fields of its hello */
  static async open(url: string, token: string, fields: object = {}): Promise<RawClient> {
    const client = await RawClient.connect(url);
    client.text({ type: "hello", token, ...fields });
    await client.until(() => client.welcome !== undefined);
    return client;
  }

  /** A client that resumes the session of another. */
  static async resume(url: string, token: string, before: RawClient): Promise<RawClient> {
    const client = await RawClient.connect(url);
    client.#base = before.#base + before.received.length;
    client.#seq = before.#seq;
    client.text({ type: "hello", token, resume: { id: before.welcome?.resume, received: client.#base } });
    await client.until(() => client.welcome !== undefined);
    return client;
  }

  /** A client that has said nothing yet. */
  static async connect(url: string): Promise<RawClient> {
    const client = new RawClient(url);
    await new Promise<void>((resolve, reject) => {
      client.ws.on("open", () => resolve());
      client.ws.on("error", reject);
    });
    return client;
  }

  /** Sends a message as it is. */
  text(message: object | string): void {
    this.ws.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Sends a message with the next number. */
  next(message: object): void {
    this.text({ ...message, seq: ++this.#seq });
  }

  consume({ seq, id, rank, stream, data }: DataFrame): void {
    this.text({ type: "ack", seq });
    this.next({ type: "consumed", id, rank, stream, bytes: data.length });
  }

  request(
    id: number,
    topic: string,
    payload: object,
    options: { nodeid?: string; streaming?: boolean } = {},
  ): void {
    this.next({ type: "request", id, topic, nodeid: "any", streaming: false, payload, ...options });
  }

  exec(
    id: number,
    cmdline: string[],
    options: { nodeid?: string; flags?: number; opts?: object } = {},
  ): void {
    const { flags = 3, opts = {}, ...rest } = options;
    const cmd = { cmdline, env: {}, opts, channels: [] };
    this.request(id, "rexec.exec", { cmd, flags }, { streaming: true, ...rest });
  }

  input(id: number, data: Uint8Array | string, stream = "stdin"): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.ws.send(encodeDataFrame({ seq: ++this.#seq, id, rank: ALL_RANKS, stream, data: bytes }));
  }

  /** Resolves when `condition` holds; rejects if the socket closes before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#isClosed) throw new Error("the socket closed before");
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  of(id: number): Received[] {
    return this.received.filter((message) => message.id === id);
  }

  /** Resolves with the messages of `id` once `ranks` ranks have had their last one. */
  async over(id: number, ranks = 1): Promise<Received[]> {
    const ended = (m: Received) => {
      if (m.type === "error" && m.ranks !== undefined) return decodeIdset(m.ranks).length;
      return m.type === "end" || m.type === "error" ? 1 : 0;
    };
    const last = () => this.of(id).reduce((sum, message) => sum + ended(message), 0);
    await this.until(() => last() >= ranks);
    return this.of(id);
  }

  /** The answer to a request that is not streaming. */
  async answer(id: number): Promise<Received> {
    await this.until(() => this.of(id).length > 0);
    return this.of(id)[0] as Received;
  }

  /** The response of the type that RFC 42 calls `type`. */
  async event(id: number, type: string): Promise<Record<string, unknown>> {
    const find = () =>
      this.of(id).find((message) => message.type === "response" && message.payload.type === type);
    await this.until(() => find() !== undefined);
    return (find() as { payload: Record<string, unknown> }).payload;
  }

  output(id: number, stream = "stdout", rank?: number): string {
    const frames = this.of(id)
      .filter((m) => m.type === "data")
      .filter((m) => m.stream === stream);
    const chunks = frames.filter((m) => rank === undefined || m.rank === rank).map((m) => m.data);
    return Buffer.concat(chunks).toString();
  }

  async close(): Promise<void> {
    this.ws.close(1000);
    await this.closed;
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}
