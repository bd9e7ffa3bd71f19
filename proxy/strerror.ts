/** glibc's texts for errno values, which Flux puts in its error responses. */
import { getSystemErrorMap } from "node:util";
import { errnoOf, type FluxErrorCode } from "../src/errors.js";

/** glibc's texts that libuv lacks or words otherwise, beyond the first letter. */
const GLIBC: Partial<Record<FluxErrorCode, string>> = {
  EADDRNOTAVAIL: "Cannot assign requested address",
  EAFNOSUPPORT: "Address family not supported by protocol",
  EALREADY: "Operation already in progress",
  EBADFD: "File descriptor in bad state",
  EBADMSG: "Bad message",
  EBUSY: "Device or resource busy",
  ECHILD: "No child processes",
  EDOM: "Numerical argument out of domain",
  EDQUOT: "Disk quota exceeded",
  EEXIST: "File exists",
  EFAULT: "Bad address",
  EHOSTUNREACH: "No route to host",
  EIDRM: "Identifier removed",
  EILSEQ: "Invalid or incomplete multibyte or wide character",
  EINPROGRESS: "Operation now in progress",
  EIO: "Input/output error",
  EISCONN: "Transport endpoint is already connected",
  EISDIR: "Is a directory",
  EKEYEXPIRED: "Key has expired",
  EKEYREJECTED: "Key was rejected by service",
  EKEYREVOKED: "Key has been revoked",
  ELOOP: "Too many levels of symbolic links",
  EMEDIUMTYPE: "Wrong medium type",
  EMULTIHOP: "Multihop attempted",
  ENAMETOOLONG: "File name too long",
  ENETRESET: "Network dropped connection on reset",
  ENFILE: "Too many open files in system",
  ENOEXEC: "Exec format error",
  ENOKEY: "Required key not available",
  ENOLCK: "No locks available",
  ENOLINK: "Link has been severed",
  ENOMEDIUM: "No medium found",
  ENOMEM: "Cannot allocate memory",
  ENOMSG: "No message of desired type",
  ENOSR: "Out of streams resources",
  ENOSTR: "Device not a stream",
  ENOTBLK: "Block device required",
  ENOTCONN: "Transport endpoint is not connected",
  ENOTRECOVERABLE: "State not recoverable",
  EOWNERDEAD: "Owner died",
  EPFNOSUPPORT: "Protocol family not supported",
  ERANGE: "Numerical result out of range",
  EREMOTE: "Object is remote",
  ERESTART: "Interrupted system call should be restarted",
  ERFKILL: "Operation not possible due to RF-kill",
  ESPIPE: "Illegal seek",
  ESTALE: "Stale file handle",
  ETIME: "Timer expired",
  ETOOMANYREFS: "Too many references: cannot splice",
  ETXTBSY: "Text file busy",
  EUCLEAN: "Structure needs cleaning",
  EUSERS: "Too many users",
  EXDEV: "Invalid cross-device link",
};

const libuv = new Map(getSystemErrorMap().values());

/** strerror(3), by name. */
export function strerror(code: FluxErrorCode): string {
  const text = GLIBC[code] ?? libuv.get(code);
  return text ? text.charAt(0).toUpperCase() + text.slice(1) : `Unknown error ${errnoOf(code)}`;
}

/** The errno name of an error that Node threw from a system call; EINVAL for an error of Node's own checks. */
export function errorCode(error: unknown): FluxErrorCode {
  const code = (error as NodeJS.ErrnoException).code as FluxErrorCode;
  return errnoOf(code) > 0 ? code : "EINVAL";
}
