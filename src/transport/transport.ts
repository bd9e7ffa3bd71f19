/** What a session needs of a connection: ordered messages, text or binary, until it closes once. */
export interface Transport {
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** @param code a WebSocket close code: 1000 or 3000 to 4999 */
  close(code: number, reason: string): void;
  /** Bytes that were sent and that the network has not taken. */
  readonly bufferedAmount: number;
}

/** How a connection ended. */
export interface TransportClose {
  /** A WebSocket close code (RFC 6455 section 7.4); 1006 when the peer vanished. */
  code: number;
  reason: string;
  /** Whether it had ever been open. */
  opened: boolean;
  cause?: unknown;
}

/** What a connection tells its session. `closed` comes exactly once, and nothing after it. */
export interface TransportEvents {
  opened(): void;
  message(data: string | Uint8Array): void;
  closed(close: TransportClose): void;
}

/** Starts a connection. It calls back later, never before it has returned. */
export type Connector = (events: TransportEvents) => Transport;
