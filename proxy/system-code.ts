/** Node's system errors by their Linux names. A leaf, for the layers that speak to the system. */
import { errnoOf, type FluxErrorCode } from "../src/errors.js";

/** The Linux name of a system error; EIO for an error that Linux does not have. */
export function systemCode(error: unknown): FluxErrorCode {
  const code = error instanceof Error && "code" in error ? (error.code as FluxErrorCode) : "EIO";
  return errnoOf(code) === 0 ? "EIO" : code;
}
