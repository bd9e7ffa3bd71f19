/** What the end of a connection means to the requests on it. */
import { FluxError, type FluxErrorCode } from "../errors.js";
import { CLOSE } from "../protocol/messages.js";
import type { TransportClose } from "../transport/transport.js";

const CODES: Readonly<Record<number, FluxErrorCode>> = {
  [CLOSE.tooBig]: "EMSGSIZE",
  [CLOSE.malformed]: "EPROTO",
  [CLOSE.unauthorized]: "EACCES",
  [CLOSE.helloTimeout]: "ETIMEDOUT",
  [CLOSE.idInUse]: "EPROTO",
  [CLOSE.expired]: "EKEYEXPIRED",
  [CLOSE.outOfSequence]: "EPROTO",
  [CLOSE.creditOverrun]: "EPROTO",
  [CLOSE.internal]: "EREMOTEIO",
};

/** The error of a session that its peer or the network ended. */
export function closeError({ code, reason, opened, cause }: TransportClose): FluxError {
  if (!opened) {
    const why = cause instanceof Error && cause.message ? `: ${cause.message}` : "";
    return new FluxError("ECONNREFUSED", `the proxy cannot be reached${why}`, { cause });
  }
  const what = reason || "the connection to the proxy was lost";
  return new FluxError(CODES[code] ?? "ECONNRESET", `${what} (close code ${code})`, { cause });
}
