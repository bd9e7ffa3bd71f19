/** A UNIX socket in front of a broker's that passes everything on and keeps what came from the client. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FrameDecoder } from "../../proxy/wire/framing.js";
import type { RequestMessage } from "../../proxy/wire/message.js";

export class Relay {
  /** Every message that a client of the broker has sent. */
  readonly sent: RequestMessage[] = [];
  /** Every byte, also of what is no message yet. */
  bytes = 0;
  connections = 0;
  readonly #directory = mkdtempSync(join(tmpdir(), "relay-"));
  readonly #path = join(this.#directory, "local");
  readonly uri = `local://${this.#path}`;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #waiters: (() => void)[] = [];

  private constructor(broker: string) {
    this.#server = createServer((client) => this.#accept(client, connect(broker)));
  }

  /** @param uri the broker's */
  static async start(uri: string): Promise<Relay> {
    const relay = new Relay(uri.replace("local://", ""));
    await new Promise<void>((resolve) => relay.#server.listen(relay.#path, resolve));
    return relay;
  }

  #accept(client: Socket, broker: Socket): void {
    this.connections++;
    this.#open.add(client);
    const decoder = new FrameDecoder();
    client.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      for (const message of decoder.push(chunk)) if (message.type === "request") this.sent.push(message);
      this.#wake();
    });
    client.on("close", () => {
      this.#open.delete(client);
      this.#wake();
    });
    for (const socket of [client, broker]) socket.on("error", () => socket.destroy());
    client.pipe(broker).pipe(client);
  }

  /** Resolves when no client is connected, so that nothing is on its way any more. */
  idle(): Promise<void> {
    return this.until(() => this.#open.size === 0);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}
