/** Pairs of connected transports without a network, for tests. Messages still pass the whole codec. */
import type { Connector, Transport, TransportEvents } from "./transport.js";

/** The far end of a {@link memoryConnector}. */
export interface MemoryPeer extends Transport {
  /** Ends the connection as a network does, with neither code nor reason. */
  drop(): void;
}

/** A connector in memory. @param accept takes the far end of each connection, and returns its event handlers */
export function memoryConnector(accept: (peer: MemoryPeer) => TransportEvents): Connector {
  return (client) => {
    let open = true;
    const later = (deliver: () => void) => queueMicrotask(() => open && deliver());
    const end = (code: number, reason: string) =>
      later(() => {
        open = false;
        client.closed({ code, reason, opened: true });
        server.closed({ code, reason, opened: true });
      });
    const server = accept({
      send: (message) => later(() => client.message(message)),
      close: end,
      bufferedAmount: 0,
      drop: () => end(1006, ""),
    });
    later(() => {
      client.opened();
      server.opened();
    });
    return {
      send: (message) => later(() => server.message(message)),
      close: end,
      bufferedAmount: 0,
    };
  };
}
