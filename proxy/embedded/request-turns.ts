/**
 * One client's requests in their order, at most one exec in a turn of the event loop: a start takes milliseconds, and other clients
 * have turns in between.
 */
import type { Message, RequestMessage } from "../wire/message.js";

/** The receiver of the requests, and the socket that they come from. */
export interface RequestTurnsOptions {
  /** Handles one request. */
  handle(request: RequestMessage): void;
  /** Receives an error of `handle` or of the messages that {@link RequestTurns.push} gets. */
  failed(error: unknown): void;
  /** Paused while requests wait. */
  socket: { pause(): void; resume(): void };
}

/** The turns of one client. */
export class RequestTurns {
  readonly #options: RequestTurnsOptions;
  /** The messages that wait. Undefined while the socket is read. */
  #waiting: Iterator<Message> | undefined;

  constructor(options: RequestTurnsOptions) {
    this.#options = options;
  }

  /** Handles the messages, the later ones in later turns. The socket must not be paused. */
  push(messages: Iterable<Message>): void {
    this.#waiting = messages[Symbol.iterator]();
    this.#turn();
  }

  /** The client is gone: handles every message that waits. */
  finish(): void {
    while (this.#waiting !== undefined) this.#turn();
  }

  #turn(): void {
    const { handle, failed, socket } = this.#options;
    try {
      for (let next = this.#waiting?.next(); next?.done === false; next = this.#waiting?.next()) {
        const message = next.value;
        if (message.type !== "request") continue;
        handle(message);
        if (!message.topic?.endsWith(".exec")) continue;
        socket.pause();
        setImmediate(() => this.#turn());
        return;
      }
    } catch (error) {
      failed(error);
    }
    this.#waiting = undefined;
    socket.resume();
  }
}
