/** The meaning of a closed connection for the session and its requests. */
import { because, FluxError, type FluxErrorCode } from "../errors.js";
import { CLOSE } from "../protocol/protocol-error.js";
import type { TransportClose } from "../transport/transport.js";

const CODES: Readonly<Record<number, FluxErrorCode>> = {
  [CLOSE.tooBig]: "EMSGSIZE",
  [CLOSE.malformed]: "EPROTO",
  [CLOSE.unauthorized]: "EACCES",
  [CLOSE.timeout]: "ETIMEDOUT",
  [CLOSE.idInUse]: "EPROTO",
  [CLOSE.expired]: "EKEYEXPIRED",
  [CLOSE.outOfSequence]: "EPROTO",
  [CLOSE.overrun]: "ENOBUFS",
  [CLOSE.tooManySessions]: "EUSERS",
  [CLOSE.creditOverrun]: "EPROTO",
  [CLOSE.internal]: "EREMOTEIO",
};

/** The error of a connection that its peer or the network ended. */
export function closeError({ code, reason, opened, cause }: TransportClose): FluxError {
  if (!opened) {
    return new FluxError("ECONNREFUSED", `the proxy cannot be reached${because(cause)}`, { cause });
  }
  const what = reason || "the connection to the proxy was lost";
  return new FluxError(CODES[code] ?? "ECONNRESET", `${what} (close code ${code})`, { cause });
}

/**
 * True if the connection was lost, not ended: by the network (1005, 1006), by a server between client and proxy (1011 to 1015), by a
 * peer that has waited too long, or in favour of a newer connection.
 */
export function isLoss({ code }: TransportClose): boolean {
  const byOthers = code === 1005 || code === 1006 || (code > 1010 && code < 1016);
  return byOthers || code === CLOSE.timeout || code === CLOSE.superseded;
}
