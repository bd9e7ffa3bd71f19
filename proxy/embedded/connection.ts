/** One client's socket: frames in, frames out, and the brake on what is sent to a client that does not read. */
import type { Socket } from "node:net";
import { encodeFrame, FrameDecoder } from "../wire/framing.js";
import { type RequestMessage, type ResponseMessage, WireError } from "../wire/message.js";
import { RequestTurns } from "./request-turns.js";

/** Bytes queued for a client above which the processes that it listens to are no longer read. */
const CONGESTED = 4 * 1024 * 1024;

/** Something whose output goes to a connection and that can be held. */
export interface Source {
  pause(): void;
  resume(): void;
}

/** What a connection tells its owner. */
export interface ConnectionEvents {
  request(message: RequestMessage): void;
  /** The client is gone, in whatever way. Told once. */
  closed(): void;
}

/** A client of one rank's socket. */
export class Connection {
  readonly #socket: Socket;
  readonly #sources = new Set<Source>();
  #corked = false;
  #congested = false;

  constructor(
    socket: Socket,
    readonly rank: number,
  ) {
    this.#socket = socket;
  }

  /**
   * Accepts the client and begins to read. No uid is checked: Node cannot ask for a peer's credentials, and the
   * directory of the socket lets no one but its owner in.
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
    socket.on("error", () => {}); // "close" follows and says all that matters
    socket.on("drain", () => this.#resume());
    socket.on("close", () => {
      turns.finish();
      this.#resume();
      events.closed();
    });
    socket.write(Uint8Array.of(0));
  }

  /** Sends a message. Those of one turn of the event loop leave in one system call. */
  send(message: ResponseMessage): void {
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

  /** Ties a source to the brake, until {@link release}. */
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
