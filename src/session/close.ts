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
  if (!opened) return unreachable(cause);
  const what = reason || "the connection to the proxy was lost";
  return new FluxError(CODES[code] ?? "ECONNRESET", `${what}, close code ${code}`, { cause });
}

/** Only Node's ws says why a connection could not be opened. A browser must not tell a page. */
function unreachable(cause: unknown): FluxError {
  const { code = "", message = "" } = (cause ?? {}) as { code?: string; message?: string };
  const [, status] = /response: (\d+)/.exec(message) ?? [];
  const [errno, what]: [FluxErrorCode, string] =
    status === "404"
      ? ["ENOENT", "there is no proxy at this URL"]
      : status
        ? ["EPROTO", "the server is not a proxy, or cannot reach it"]
        : /CERT|SSL|SIGNED/.test(code + message)
          ? ["EKEYREJECTED", "TLS has failed"]
          : /^(ENOTFOUND|EAI_AGAIN)$/.test(code)
            ? ["EADDRNOTAVAIL", "the name of the proxy's host is not known"]
            : ["ECONNREFUSED", "the proxy cannot be reached"];
  const why = because(cause) || ", and this runtime does not say why";
  return new FluxError(errno, what + why, { cause });
}

/**
 * True if the connection was lost, not ended: by the network (1005, 1006), by a server between client and proxy (1011 to 1015), by a
 * peer that has waited too long, or in favour of a newer connection.
 */
export function isLoss({ code }: TransportClose): boolean {
  const byOthers = code === 1005 || code === 1006 || (code > 1010 && code < 1016);
  return byOthers || code === CLOSE.timeout || code === CLOSE.superseded;
}
