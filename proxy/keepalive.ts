/** Pings, so that the proxy closes a WebSocket whose other end has gone without a close. PROTOCOL.md, "Liveness". */
import type { WebSocket } from "ws";

/** The owner of a socket. It closes a silent socket; its session may go on over another socket. */
export interface Silenced {
  silent(): void;
}

/** Intervals in a row without a message, ping or pong, after which a socket counts as dead. */
const MISSES = 2;

/**
 * Looks after the sockets that `sockets` has at any time.
 * @returns a function that ends it
 */
export function keepAlive(sockets: ReadonlyMap<WebSocket, Silenced>, intervalMs: number): () => void {
  const misses = new WeakMap<WebSocket, number>();
  const timer = setInterval(() => {
    for (const [ws, connection] of sockets) {
      const missed = misses.get(ws);
      if (missed === undefined) {
        // Any message counts, since a pong may wait behind many messages on a slow line.
        for (const sign of ["pong", "ping", "message"]) ws.on(sign, () => misses.set(ws, 0));
      }
      misses.set(ws, (missed ?? 0) + 1);
      // A close without an answer would keep the socket for longer.
      if (missed === MISSES) connection.silent();
      else if (missed !== undefined && missed > MISSES) ws.terminate();
      else ws.ping();
    }
  }, intervalMs);
  return () => clearInterval(timer);
}
