/**
 * For contrast: a WebSocket to a process the usual way. Each connection has a process of its own, which ends with it; the
 * client connects again when its connection is lost, and goes on where it believes it is.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { type Ledger, lines } from "./lines.js";

export interface PlainBridge {
  readonly url: string;
  /** How many processes it has started. */
  readonly processes: number;
  close(): Promise<void>;
}

/** Bridges each connection to a `cat`: binary messages are its input, the text "eof" ends that. */
export async function startPlainBridge(): Promise<PlainBridge> {
  let processes = 0;
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    processes++;
    const cat: ChildProcess = spawn("cat", { stdio: ["pipe", "pipe", "ignore"] });
    socket.on("message", (data: Buffer, binary) => {
      if (binary) cat.stdin?.write(data);
      else cat.stdin?.end();
    });
    cat.stdout?.on("data", (data: Buffer) => socket.send(data));
    cat.stdin?.on("error", () => {});
    cat.on("close", (code) => socket.close(code === 0 ? 1000 : 1011));
    socket.on("error", () => {});
    socket.on("close", () => cat.kill("SIGKILL"));
  });
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get processes() {
      return processes;
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const BLOCK = 256;

/** What the client has on its way at most: at full speed it would lose more. */
const AHEAD = 64 * 1024;

/** Sends `count` lines through the bridge, connecting again as often as it takes, until it says that `cat` is done. */
export class PlainClient {
  #socket: WebSocket | undefined;
  #sent = 0;

  constructor(
    readonly url: string,
    readonly seed: number,
    readonly count: number,
    readonly ledger: Ledger,
  ) {}

  /** The network has changed: lets go of the connection, as a client does that is told. */
  reconnect(): void {
    this.#socket?.terminate();
  }

  async run(): Promise<void> {
    while ((await this.#connection()) !== 1000);
  }

  /** @returns how it was closed */
  #connection(): Promise<number> {
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.on("error", () => {});
    let ahead = 0;
    let over = false;
    const send = () => {
      for (; ahead < AHEAD && this.#sent < this.count; this.#sent += BLOCK) {
        const data = lines(this.seed, this.#sent, Math.min(BLOCK, this.count - this.#sent));
        ahead += data.length;
        socket.send(data);
      }
      if (this.#sent >= this.count && !over) socket.send("eof");
      over = this.#sent >= this.count;
    };
    socket.on("open", send);
    socket.on("message", (data: Buffer) => {
      this.ledger.take(data);
      ahead -= data.length;
      send();
    });
    return new Promise((resolve) => socket.on("close", resolve));
  }
}
