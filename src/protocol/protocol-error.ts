/** The close codes, and the error that closes a socket with one. PROTOCOL.md, "Close codes". */

/** Close codes of WebSockets. Those from 4000 on are this protocol's (RFC 6455 section 7.4.2). PROTOCOL.md, "Close codes". */
export enum CLOSE {
  normal = 1000,
  goingAway = 1001,
  tooBig = 1009,
  malformed = 4400,
  unauthorized = 4401,
  notResumable = 4404,
  timeout = 4408,
  idInUse = 4409,
  superseded = 4410,
  expired = 4411,
  outOfSequence = 4412,
  overrun = 4413,
  tooManySessions = 4423,
  creditOverrun = 4429,
  internal = 4500,
  brokerLost = 4503,
}

/** A message breaks PROTOCOL.md. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  /** @param closeCode the code to close the WebSocket with */
  constructor(
    readonly closeCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The error of a message, or of a field of one, that PROTOCOL.md does not have. */
export function malformed(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(CLOSE.malformed, what, { cause });
}
