/** Limits for sockets before `welcome`: on the bytes of each, and on their number. PROTOCOL.md, "Opening". */
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { CLOSE } from "../src/protocol/protocol-error.js";

/** The most bytes of a socket. The longest hello and the longest proof fit. */
const MAX_BYTES = 512 * 1024;

/** The most pings and pongs of a socket (RFC 6455 section 5.5). In the time for a hello the proxy pings it twice. */
const MAX_CONTROL_FRAMES = 16;

/** The most sockets. For one more, the oldest is closed. */
const MAX_SOCKETS = 4096;

/** The time between the close and the end of a socket, in milliseconds. The proxy does not read the socket meanwhile. */
const CLOSE_MS = 1000;

/** The connection of a new socket. */
interface Newcomer {
  readonly welcomed: boolean;
  close(code: number, reason: string): void;
}

/** Watches over the sockets before `welcome`. */
export class Newcomers {
  /** Oldest first. A welcomed connection stays until the room is needed. */
  readonly #refusals = new Map<Newcomer, (code: number, reason: string) => void>();

  /** A WebSocket has opened, over this TCP connection. */
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
