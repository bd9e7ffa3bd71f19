/** The last message of ranks whose request failed. PROTOCOL.md, "Requests". */
import type { FluxError } from "../../src/errors.js";
import type { ControlMessage } from "../flow/message.js";
import { idsetOf, type Target } from "./target.js";

/** The broker's own text of an error; "" if it sent none, since a FluxError then has its code as its message. */
export function errorText({ code, message }: Pick<FluxError, "code" | "message">): string {
  return message === code ? "" : message;
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
