/** One client's socket: frames in, frames out, and a limit on the output that waits for a client that does not read. */
import type { Socket } from "node:net";
import { encodeFrame, FrameDecoder } from "../wire/framing.js";
import { type EventMessage, type RequestMessage, type ResponseMessage, WireError } from "../wire/message.js";
import { RequestTurns } from "./request-turns.js";

/** While more bytes than this wait for a client, the broker does not read the processes that the client follows. */
const CONGESTED = 4 * 1024 * 1024;

/** A source of output for a connection, which can pause. */
export interface Source {
  pause(): void;
  resume(): void;
}

/** The events of a connection. */
export interface ConnectionEvents {
  request(message: RequestMessage): void;
  /** The connection has ended, by either side or by an error. Called once. */
  closed(): void;
}

/** A client of one rank's socket. */
export class Connection {
  readonly #socket: Socket;
  readonly #sources = new Set<Source>();
  /** True from a turn's first message to the end of the turn. */
  #corked = false;
  /** True from the message that exceeds CONGESTED until the socket drains or closes; all sources are paused. */
  #congested = false;

  constructor(
    socket: Socket,
    readonly rank: number,
  ) {
    this.#socket = socket;
  }

  /**
   * Accepts the client and begins to read. The broker does not check the peer's uid, which Node cannot read. Only the owner has
   * access to the socket's directory.
   */
  open(events: ConnectionEvents): void {
    const decoder = new FrameDecoder();
    const socket = this.#socket;
    const turns = new RequestTurns({
      handle: (request) => events.request(request),
      failed: (error) => {
        if (!(error instanceof WireError)) throw error;
        socket.destroy();
      },
      socket,
    });
    socket.on("data", (chunk) => turns.push(decoder.push(chunk)));
    socket.on("end", () => socket.destroy());
    socket.on("error", () => {}); // "close" follows and reports the end
    socket.on("drain", () => this.#resume());
    socket.on("close", () => {
      turns.finish();
      this.#resume();
      events.closed();
    });
    socket.write(Uint8Array.of(0));
  }

  /** Sends a message. All messages of one turn of the event loop leave in one system call. */
  send(message: ResponseMessage | EventMessage): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    socket.write(encodeFrame(message));
    if (!this.#congested && socket.writableLength > CONGESTED) {
      this.#congested = true;
      for (const source of this.#sources) source.pause();
    }
  }

  /** Pauses `source` while the connection is congested, until {@link release}. */
  hold(source: Source): void {
    this.#sources.add(source);
    if (this.#congested) source.pause();
  }

  release(source: Source): void {
    if (this.#sources.delete(source)) source.resume();
  }

  close(): void {
    this.#socket.destroy();
  }

  #resume(): void {
    this.#congested = false;
    for (const source of this.#sources) source.resume();
  }
}
