/**
 * The messages that are handled in one turn of the event loop. ws offers one of each socket (`allowSynchronousEvents: false`), which
 * leaves messages unread where turns are long, or all that have arrived, which delays every other socket. For a number between the
 * two, this file sets that option while ws runs: a private field of its receiver, which test/unit/proxy/message-turns.test.ts checks.
 */
import type { WebSocket } from "ws";

/** The most messages, pings and pongs of a socket in one turn. */
const MAX_PER_TURN = 64;

/** The time in one turn, in milliseconds, after which each socket has only one message handled. */
const MAX_MS = 4;

/** The part of ws's receiver that decides whether the next message waits for the next turn. */
interface Receiver {
  _allowSynchronousEvents: boolean;
}

/** The turns that the sockets of a listener share. */
export class MessageTurns {
  #turn = 0;
  /** When the first message of the present turn had been handled; undefined before. */
  #beganAt: number | undefined;

  /**
   * Lets a socket have several messages handled in a turn.
   * @param ws created with `allowSynchronousEvents: false`
   * @param trusted whether it may have more than one by now
   */
  add(ws: WebSocket, trusted: () => boolean): void {
    const { _receiver: receiver } = ws as unknown as { _receiver: Receiver };
    let turn = 0;
    let count = 0;
    const handled = () => {
      if (!trusted()) return;
      const now = performance.now();
      this.#beganAt ??= this.#begin(now);
      if (turn !== this.#turn) count = 0;
      turn = this.#turn;
      count++;
      receiver._allowSynchronousEvents = count < MAX_PER_TURN && now - this.#beganAt < MAX_MS;
    };
    for (const event of ["message", "ping", "pong"]) ws.on(event, handled);
  }

  #begin(now: number): number {
    this.#turn++;
    setImmediate(() => {
      this.#beganAt = undefined;
    });
    return now;
  }
}
