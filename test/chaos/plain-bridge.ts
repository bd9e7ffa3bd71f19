/**
 * For contrast, the usual bridge from a WebSocket to a process. Each connection has a process of its own, which ends with it. The
 * client connects again after a loss, and continues where it believes it is.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { type Ledger, lines } from "./lines.js";

export interface PlainBridge {
  readonly url: string;
  /** The number of processes so far. */
  readonly processes: number;
  close(): Promise<void>;
}

/** Bridges each connection to a `cat`. Binary messages are its input, and the text "eof" ends the input. */
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

/** The most bytes in flight: at full speed the client would lose more. */
const AHEAD = 64 * 1024;

/** Sends `count` lines through the bridge, over as many connections as it takes, until the bridge reports the end of `cat`. */
export class PlainClient {
  #socket: WebSocket | undefined;
  #sent = 0;

  constructor(
    readonly url: string,
    readonly seed: number,
    readonly count: number,
    readonly ledger: Ledger,
  ) {}

  /** Closes the connection, as a client does when it hears that the network has changed. */
  reconnect(): void {
    this.#socket?.terminate();
  }

  async run(): Promise<void> {
    while ((await this.#connection()) !== 1000);
  }

  /** @returns the close code and reason */
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
