/** Sockets before `welcome`: each may send little, and only some thousands are there. PROTOCOL.md, "Opening". */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { CLOSE } from "../src/protocol/messages.js";

/** How many bytes a socket may send: a hello and a proof, each as long as may be, have room. */
const MAX_BYTES = 512 * 1024;

/** How many pings and pongs (RFC 6455 section 5.5) a socket may send: in the time for a hello the proxy pings it twice. */
const MAX_CONTROL_FRAMES = 16;

/** How many sockets there may be. The oldest makes room for another. */
const MAX_SOCKETS = 4096;

/** How long a socket has to take the close before it is gone, in milliseconds. Nothing of it is read. */
const CLOSE_MS = 1000;

/** Who has opened a socket. */
interface Newcomer {
  readonly welcomed: boolean;
  close(code: number, reason: string): void;
}

export class Newcomers {
  /** Oldest first. Who was welcomed stays until there is no more room. */
  readonly #refusals = new Map<Newcomer, (code: number, reason: string) => void>();

  /** A WebSocket has opened, over this connection. */
  add(newcomer: Newcomer, ws: WebSocket, connection: Duplex): void {
    let bytes = 0;
    let controlFrames = 0;
    const refuse = (code: number, reason: string) => {
      stop();
      newcomer.close(code, reason);
      ws.pause();
      setTimeout(() => ws.terminate(), CLOSE_MS).unref();
    };
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (newcomer.welcomed) stop();
      else if (bytes > MAX_BYTES) refuse(CLOSE.creditOverrun, "too many bytes before welcome");
    };
    const countControl = () => {
      controlFrames++;
      if (newcomer.welcomed) stop();
      else if (controlFrames > MAX_CONTROL_FRAMES)
        refuse(CLOSE.creditOverrun, "too many pings before welcome");
    };
    const stop = () => {
      connection.off("data", count);
      ws.off("ping", countControl).off("pong", countControl);
    };
    connection.on("data", count);
    ws.on("ping", countControl).on("pong", countControl);
    ws.on("close", () => this.#refusals.delete(newcomer));
    this.#refusals.set(newcomer, refuse);
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const [newcomer, refuse] of this.#refusals) {
      if (this.#refusals.size <= MAX_SOCKETS) return;
      this.#refusals.delete(newcomer);
      if (!newcomer.welcomed) refuse(CLOSE.timeout, "no hello in time: others wait");
    }
  }
}
