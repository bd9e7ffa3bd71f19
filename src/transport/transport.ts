/** A connection: ordered messages, text or binary, until it closes once. */
export interface Transport {
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** @param code a WebSocket close code: 1000 or 3000 to 4999 */
  close(code: number, reason: string): void;
  /** Bytes that were sent and are not with the network yet. */
  readonly bufferedAmount: number;
}

/** The end of a connection. */
export interface TransportClose {
  /** A WebSocket close code (RFC 6455 section 7.4); 1006 when the peer vanished. */
  code: number;
  reason: string;
  /** Whether it had ever been open. */
  opened: boolean;
  cause?: unknown;
}

/** A connection's events. `closed` comes exactly once, and no event follows it. */
export interface TransportEvents {
  opened(): void;
  message(data: string | Uint8Array): void;
  closed(close: TransportClose): void;
}

/** Starts a connection. Events come only after it has returned. */
export type Connector = (events: TransportEvents) => Transport;
