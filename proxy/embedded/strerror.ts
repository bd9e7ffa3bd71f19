/** glibc's texts for errno values, which Flux puts in its error responses. */
import { getSystemErrorMap } from "node:util";
import { errnoOf, type FluxErrorCode } from "../../src/errors.js";

/** Where libuv's words differ from glibc's by more than the first letter. */
const GLIBC: Partial<Record<FluxErrorCode, string>> = {
  EEXIST: "File exists",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENFILE: "Too many open files in system",
  ENOEXEC: "Exec format error",
  ENOMEM: "Cannot allocate memory",
  ETXTBSY: "Text file busy",
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
