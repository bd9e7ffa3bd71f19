/** The last message of ranks whose request failed. PROTOCOL.md, "Requests". */
import type { FluxError } from "../../src/errors.js";
import type { ControlMessage } from "../flow/message.js";
import { strerror } from "../strerror.js";
import { idsetOf, type Target } from "./target.js";

/** The broker's own text of an error, or that of its errno: a FluxError without a text has its code as its reason. */
export function errorText({ code, reason }: Pick<FluxError, "code" | "reason">): string {
  return reason === code ? strerror(code) : reason;
}

/** An `error` for ranks of the request `id`, which may not exist. */
export function errorMessage(
  id: number,
  { ranks, missing = [] }: Pick<Target, "ranks"> & Partial<Target>,
  error: FluxError,
): ControlMessage {
  const idset = idsetOf({ ranks, missing });
  const where = /^\d+$/.test(idset) ? { rank: Number(idset) } : { ranks: idset };
  return { type: "error", id, ...where, errno: error.errno, message: errorText(error) };
}
