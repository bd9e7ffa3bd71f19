/**
 * How many messages of one socket are handled in a turn of the event loop. ws offers one (`allowSynchronousEvents: false`), which
 * leaves messages unread where turns are long, or all that have arrived, which delays every other socket. Between the two its
 * switch is turned while it runs: a private field of its receiver, on which test/unit/proxy/message-turns.test.ts keeps an eye.
 */
import type { WebSocket } from "ws";

/** The most messages, pings and pongs of a socket in one turn. */
const MAX_PER_TURN = 64;

/** The part of ws's receiver that decides whether the next message waits for the next turn. */
interface Receiver {
  _allowSynchronousEvents: boolean;
}

/**
 * Handles up to {@link MAX_PER_TURN} messages of a socket in a turn.
 * @param ws created with `allowSynchronousEvents: false`
 * @param trusted whether it may have more than one by now
 */
export function limitMessagesPerTurn(ws: WebSocket, trusted: () => boolean): void {
  const { _receiver: receiver } = ws as unknown as { _receiver: Receiver };
  let left = 0;
  let renews = false;
  const renew = () => {
    renews = false;
    left = MAX_PER_TURN;
    receiver._allowSynchronousEvents = true;
  };
  const count = () => {
    if (!trusted()) return;
    left--;
    if (left <= 0) receiver._allowSynchronousEvents = false;
    if (!renews) setImmediate(renew);
    renews = true;
  };
  for (const event of ["message", "ping", "pong"]) ws.on(event, count);
}
