/** A connection: ordered messages, text or binary, until it closes once. */
export interface Transport {
  /** Sends a message. */
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** Closes the connection. @param code a WebSocket close code: 1000 or 3000 to 4999 */
  close(code: number, reason: string): void;
  /** The number of bytes that were sent and did not leave for the network yet. */
  readonly bufferedAmount: number;
}

/** The end of a connection. */
export interface TransportClose {
  /** A WebSocket close code (RFC 6455 section 7.4); 1006 when the peer vanished. */
  code: number;
  /** The peer's words, or "". */
  reason: string;
  /** True if the connection was open before. */
  opened: boolean;
  /** The runtime's error, if it has one. */
  cause?: unknown;
}

/** A connection's events. `closed` comes exactly once, and no event follows it. */
export interface TransportEvents {
  /** The connection is open. */
  opened(): void;
  /** A message has arrived. */
  message(data: string | Uint8Array): void;
  /** The connection has closed, or could not be opened. */
  closed(close: TransportClose): void;
}

/** Starts a connection. Events come only after it has returned. */
export type Connector = (events: TransportEvents) => Transport;
