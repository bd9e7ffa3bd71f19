/** A bare client of a broker's socket, for tests: it speaks in messages and keeps every response. */
import { connect, type Socket } from "node:net";
import { encodeFrame, FrameDecoder } from "../../../proxy/wire/framing.js";
import {
  FLAG,
  type Message,
  NODEID_ANY,
  type RequestMessage,
  type ResponseMessage,
  USERID_UNKNOWN,
} from "../../../proxy/wire/message.js";
import { type Command, type IoObject, ioBytes } from "../../../src/protocol/rfc42.js";

export interface SendOptions {
  nodeid?: number;
  flags?: number;
  userid?: number;
  rolemask?: number;
}

const text = new TextDecoder();

/** The JSON of a response, as whatever the caller expects. */
export function body<T = Record<string, unknown>>(response: ResponseMessage): T {
  return JSON.parse(payloadText(response)) as T;
}

/** A response's payload without its NUL. */
export function payloadText(response: ResponseMessage): string {
  return text.decode(response.payload?.subarray(0, -1));
}

/** The output of a process on one stream. */
export function output(responses: ResponseMessage[], stream: string): Buffer {
  const objects = responses.filter((r) => r.errnum === 0).map((r) => body<{ io?: IoObject }>(r).io);
  return Buffer.concat(objects.filter((io) => io?.stream === stream).map((io) => ioBytes(io as IoObject)));
}

/** The wait status that a process ended with. */
export function status(responses: ResponseMessage[]): unknown {
  const finished = responses.filter((r) => r.errnum === 0).map((r) => body(r));
  return finished.find(({ type }) => type === "finished")?.["status"];
}

export function command(cmdline: string[], more: Partial<Command> = {}): Command {
  return { cmdline, cwd: "/", env: { PATH: "/usr/bin:/bin" }, opts: {}, channels: [], ...more };
}

export class WireClient {
  readonly responses: ResponseMessage[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #lost: Promise<never>;
  #matchtag = 0;

  private constructor(readonly socket: Socket) {
    this.#lost = new Promise((_, reject) => {
      socket.once("close", () => reject(new Error("the socket was closed")));
    });
    this.#lost.catch(() => {}); // of interest to those who wait alone
  }

  static async connect(uri: string): Promise<WireClient> {
    const socket = connect(uri.replace("local://", ""));
    const client = new WireClient(socket);
    const decoder = new FrameDecoder();
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("data", (chunk) => {
        if (chunk[0] !== 0) reject(new Error(`refused with ${chunk[0]}`));
        resolve();
        client.#take(decoder.push(chunk.subarray(1)));
        socket.on("data", (more) => client.#take(decoder.push(more)));
        socket.on("error", () => {});
      });
    });
    return client;
  }

  #take(messages: Iterable<Message>): void {
    for (const message of messages) if (message.type === "response") this.responses.push(message);
    for (const check of this.#waiting) check();
  }

  send(message: RequestMessage): void {
    this.socket.write(encodeFrame(message));
  }

  /** Sends a request and returns its matchtag. */
  request(topic: string, payload: object | undefined, options: SendOptions = {}): number {
    const flags = options.flags ?? 0;
    const matchtag = flags & FLAG.noresponse ? 0 : ++this.#matchtag;
    this.send({
      type: "request",
      flags: FLAG.topic | FLAG.route | (payload ? FLAG.payload : 0) | flags,
      userid: options.userid ?? USERID_UNKNOWN,
      rolemask: options.rolemask ?? 0,
      routes: [],
      topic,
      payload: payload && new TextEncoder().encode(`${JSON.stringify(payload)}\0`),
      nodeid: options.nodeid ?? NODEID_ANY,
      matchtag,
    });
    return matchtag;
  }

  /** Sends a request and waits for its first answer. */
  async rpc(topic: string, payload?: object, options?: SendOptions): Promise<ResponseMessage> {
    const matchtag = this.request(topic, payload, options);
    return this.first((response) => response.matchtag === matchtag);
  }

  /** Starts a foreground process and waits until it runs. */
  async exec(
    cmd: Command,
    flags: number,
    options: SendOptions = {},
  ): Promise<{ matchtag: number; pid: number }> {
    const matchtag = this.request("rexec.exec", { cmd, flags }, { ...options, flags: FLAG.streaming });
    const started = await this.first((response) => response.matchtag === matchtag);
    if (started.errnum) throw new Error(`${started.errnum} ${payloadText(started)}`);
    return { matchtag, pid: body<{ pid: number }>(started).pid };
  }

  write(matchtag: number, io: Partial<IoObject>, options: SendOptions = {}): void {
    this.request(
      "rexec.write",
      { matchtag, io: { rank: "0", ...io } },
      { ...options, flags: FLAG.noresponse },
    );
  }

  /** The first response, among those that came and those to come, that `test` accepts. */
  async first(test: (response: ResponseMessage) => boolean): Promise<ResponseMessage> {
    await this.until(() => this.responses.some(test));
    return this.responses.find(test) as ResponseMessage;
  }

  /** Waits for the error that ends a stream and returns every response to the request. */
  async stream(matchtag: number): Promise<ResponseMessage[]> {
    await this.first((response) => response.matchtag === matchtag && response.errnum !== 0);
    return this.responses.filter((response) => response.matchtag === matchtag);
  }

  /** Waits until `test` holds, asking at every arrival. */
  until(test: () => boolean): Promise<void> {
    const held = new Promise<void>((resolve) => {
      const check = () => {
        if (!test()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
    return Promise.race([held, this.#lost]);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Asks again and again until `test` holds; the test's own time limit ends it. */
export async function eventually(test: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await test())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** True if a process, or a process group if negative, exists. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
