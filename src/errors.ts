/**
 * The errors of this package. It imports nothing, so that every layer may import it.
 *
 * Flux reports Linux errno values (RFC 3 `errnum`) on every machine. So does the client, on every platform.
 */

/**
 * The Linux errno names 1 to 133, in order. "-" is a number without a name here: Linux does not use it, or has it from System V for a
 * feature that Linux lacks. The names of the latter would be a tenth of the errors' size in a browser, and no error would have one.
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

/** The message of `cause` after a colon, to follow a message of this package; "" without one. */
export function because(cause: unknown): string {
  return cause instanceof Error && cause.message ? `: ${cause.message.trim()}` : "";
}

/** The message of an error. @param where the ranks, such as " on rank 9" */
export function messageOf(
  { subject, reason, code }: Pick<FluxError, "subject" | "reason" | "code">,
  where: string,
): string {
  const what = ((subject ?? "") + where).trim();
  return what ? `${what}: ${reason}${reason === code ? "" : ` (${code})`}` : reason;
}

/** Options of {@link FluxError}. */
export interface FluxErrorOptions {
  /** The topic of the request that failed, such as "rexec.kill". */
  topic?: string | undefined;
  /** The broker rank that the request was for. */
  rank?: number | undefined;
  /** The name of that rank's host. */
  host?: string | undefined;
  /** The verb and its object, such as "exec hostname". */
  subject?: string | undefined;
  /** The error behind this one. */
  cause?: unknown;
}

/**
 * A request that Flux, the proxy or the connection refused or lost. Python's counterpart is `OSError`.
 *
 * The message of a failed request says the verb, its object, the rank, the reason and the code: "exec hostname on rank 9: no such rank
 * (EHOSTUNREACH)". Its stack is that of the call.
 *
 * @example
 * ```ts
 * try {
 *   await kill(flux, { label: "missing" }).get();
 * } catch (error) {
 *   if (error instanceof FluxError) console.log(error.code, error.errno, error.topic); // ESRCH 3 rexec.kill
 * }
 * ```
 */
export class FluxError extends Error {
  /** "FluxError". */
  override readonly name = "FluxError";
  /** The Linux errno (RFC 3 `errnum`), such as 2, on every platform. */
  readonly errno: number;
  /** The name of `errno`, such as "ENOENT". */
  readonly code: FluxErrorCode;
  /** The topic of the request that failed, such as "rexec.kill". */
  readonly topic: string | undefined;
  /** The broker rank that the request was for. */
  readonly rank: number | undefined;
  /** The name of that rank's host; undefined unless the request named hosts. */
  readonly host: string | undefined;
  /** The verb and its object, such as "exec hostname"; undefined if no request failed, or it is not known which. */
  readonly subject: string | undefined;
  /** The reason in words: the broker's own if it sent some. The message without subject, rank and code. */
  readonly reason: string;

  /**
   * @param errno a Linux errno, as a number or as a name
   * @param reason the reason in words; `code` if it is absent or empty
   * @param options the request that failed
   */
  constructor(errno: number | FluxErrorCode, reason?: string, options: FluxErrorOptions = {}) {
    const { topic, rank, host, subject, cause } = options;
    const number = typeof errno === "number" ? errno : errnoOf(errno);
    const code = errnoName(number);
    const parts = { code, subject, reason: reason || code };
    const where = rank === undefined ? "" : ` on rank ${rank}${host === undefined ? "" : ` (${host})`}`;
    // A reason without a subject is a sentence of its own.
    super(subject ? messageOf(parts, where) : parts.reason, cause === undefined ? undefined : { cause });
    this.errno = number;
    this.code = code;
    this.topic = topic;
    this.rank = rank;
    this.host = host;
    this.subject = subject;
    this.reason = parts.reason;
  }

  /** All of the error as data, for `JSON.stringify`, which would drop the message and the cause. */
  toJSON(): object {
    const { message, cause } = this;
    return {
      ...this,
      message,
      cause: cause instanceof Error && !("toJSON" in cause) ? String(cause) : cause,
    };
  }
}
