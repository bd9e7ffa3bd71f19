/** Redaction of a list: a client sees the processes that its token's labels allow, and its session's own. docs/security.md */
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import type { LabeledProcess } from "./session-processes.js";

/** A process in the answer to a list, with all its fields. */
export type ListedRow = LabeledProcess & JsonObject;

/** The redacted answer to a list. */
export interface RedactedList {
  payload: JsonObject;
  /** True if the answer was not a list, and the client gets an empty one in its place. */
  withheld: boolean;
}

/** The redaction of the answers to one request. */
export class ListRedaction {
  readonly #labels: readonly string[] | undefined;

  /**
   * @param labels globs of the labels that the token shows; undefined if it shows all
   * @param answererCertain whether the rank that answers is the one that the policy decided on
   * @throws Error if labels limit a list that another rank may answer: its pids are not those of the session's processes there, and
   *   a list that cannot be redacted must not be asked for
   */
  constructor(labels: readonly string[] | undefined, answererCertain: boolean) {
    if (labels !== undefined && !answererCertain) {
      throw new Error("labels limit a list that another rank may answer");
    }
    this.#labels = labels;
  }

  /**
   * Redacts an answer.
   * @param visible selects the rows that the session may see, and takes note of the list
   */
  redact(
    payload: JsonObject,
    visible: (rows: readonly ListedRow[], labels: readonly string[] | undefined) => readonly ListedRow[],
  ): RedactedList {
    const rows = readList(payload);
    if (rows !== undefined)
      return { payload: { ...payload, procs: visible(rows, this.#labels) }, withheld: false };
    if (this.#labels === undefined) return { payload, withheld: false };
    return { payload: { ...payload, procs: [] }, withheld: true };
  }
}

/** The rows of an RFC 42 list response; undefined for any other payload. */
function readList({ procs }: JsonObject): ListedRow[] | undefined {
  if (!Array.isArray(procs)) return undefined;
  const complete = procs.every(
    (process: unknown) =>
      isJsonObject(process) && typeof process["pid"] === "number" && typeof process["label"] === "string",
  );
  return complete ? (procs as ListedRow[]) : undefined;
}
