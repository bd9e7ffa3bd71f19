/** Pings, so that a WebSocket whose other end has gone without a word is closed. PROTOCOL.md, "Liveness". */
import type { WebSocket } from "ws";

/** Closes a socket from which nothing comes; what it is on goes on over another. */
export interface Silenced {
  silent(): void;
}

/** Intervals in a row without a sign of life, after which a socket is taken for dead. */
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
        // Any message will do: a pong may wait behind many of them on a slow line.
        for (const sign of ["pong", "ping", "message"]) ws.on(sign, () => misses.set(ws, 0));
      }
      misses.set(ws, (missed ?? 0) + 1);
      // A close that nobody answers would keep the socket for longer.
      if (missed === MISSES) connection.silent();
      else if (missed !== undefined && missed > MISSES) ws.terminate();
      else ws.ping();
    }
  }, intervalMs);
  return () => clearInterval(timer);
}
