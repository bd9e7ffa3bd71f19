/**
 * The errors of this package. A leaf: it imports nothing, so that anyone may import it.
 *
 * Flux speaks in Linux errno values (RFC 3 `errnum`), whatever the machine that the client runs on; so do we.
 */

/**
 * Linux errno names in order, 1 to 133. A "-" stands for a number that Linux does not use, or has from System V for what it
 * does not have: these names would be a tenth of what an error costs in a browser, and nobody would ever see them.
 */
const ERRNO_NAMES = [
  "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD",
  "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR",
  "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS",
  "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY", "ELOOP",
  "-", "ENOMSG", "EIDRM", "-", "-", "-", "-", "-", "-", "-",
  "-", "-", "-", "-", "-", "-", "-", "-", "-", "ENOSTR",
  "ENODATA", "ETIME", "ENOSR", "-", "-", "EREMOTE", "ENOLINK", "-", "-", "-",
  "EPROTO", "EMULTIHOP", "-", "EBADMSG", "EOVERFLOW", "-", "EBADFD", "-", "-", "-",
  "-", "-", "-", "EILSEQ", "ERESTART", "-", "EUSERS", "ENOTSOCK", "EDESTADDRREQ", "EMSGSIZE",
  "EPROTOTYPE", "ENOPROTOOPT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EOPNOTSUPP", "EPFNOSUPPORT", "EAFNOSUPPORT",
  "EADDRINUSE", "EADDRNOTAVAIL", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNABORTED", "ECONNRESET", "ENOBUFS",
  "EISCONN", "ENOTCONN", "ESHUTDOWN", "ETOOMANYREFS", "ETIMEDOUT", "ECONNREFUSED", "EHOSTDOWN", "EHOSTUNREACH",
  "EALREADY", "EINPROGRESS", "ESTALE", "EUCLEAN", "-", "-", "-", "EREMOTEIO", "EDQUOT",
  "ENOMEDIUM", "EMEDIUMTYPE", "ECANCELED", "ENOKEY", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "EOWNERDEAD",
  "ENOTRECOVERABLE", "ERFKILL", "EHWPOISON",
] as const; // biome-ignore format: ten a line

/** The name of a Linux errno, or "EUNKNOWN" for a number that has none. */
export type FluxErrorCode = Exclude<(typeof ERRNO_NAMES)[number], "-"> | "EUNKNOWN";

/** The number of a Linux errno name: `errnoOf("ENOENT")` is 2. */
export function errnoOf(code: FluxErrorCode): number {
  return (ERRNO_NAMES as readonly string[]).indexOf(code) + 1;
}

/** The name of a Linux errno number: `errnoName(2)` is "ENOENT". */
export function errnoName(errno: number): FluxErrorCode {
  const name = ERRNO_NAMES[errno - 1];
  return name === undefined || name === "-" ? "EUNKNOWN" : name;
}

/** What an error says, to be put behind what it means to us. */
export function because(cause: unknown): string {
  return cause instanceof Error && cause.message ? `: ${cause.message}` : "";
}

/** Where a FluxError came from. */
export interface FluxErrorOptions {
  /** The topic of the request that failed, such as "rexec.kill". */
  topic?: string | undefined;
  /** The broker rank that the request was for. */
  rank?: number | undefined;
  cause?: unknown;
}

/**
 * A request that Flux, the proxy or the connection refused or lost. Python's counterpart is `OSError`.
 *
 * `errno` is the Linux number and `code` its name; `switch (error.code)` narrows. The message is the broker's own
 * text where it sent one.
 */
export class FluxError extends Error {
  override readonly name = "FluxError";
  readonly errno: number;
  readonly code: FluxErrorCode;
  readonly topic: string | undefined;
  readonly rank: number | undefined;

  /** @param errno a Linux errno, as a number or as a name */
  constructor(errno: number | FluxErrorCode, message?: string, options: FluxErrorOptions = {}) {
    const number = typeof errno === "number" ? errno : errnoOf(errno);
    const code = errnoName(number);
    super(message || code, options.cause === undefined ? undefined : { cause: options.cause });
    this.errno = number;
    this.code = code;
    this.topic = options.topic;
    this.rank = options.rank;
  }
}
