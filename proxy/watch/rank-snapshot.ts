/** The processes of a rank at a time, or the failure of a poll, and the difference between two of these. */
import { FluxError } from "../../src/errors.js";
import type { ListedProcess, TableDifference, TableFailure } from "../../src/protocol/watch.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import { errorText } from "../call/error-message.js";

/** The most rows of one difference, and characters in them. A rank with more fails, and its session goes on. */
const MAX_ROWS = 65_536;
const MAX_TEXT = 4 * 1024 * 1024;

/** The processes of a rank. A row that has not changed is the same object as before. */
export interface Table {
  /** The rank that has answered. */
  readonly rank: number;
  /** By pid. */
  readonly rows: ReadonlyMap<number, ListedProcess>;
}

/** The result of one poll. */
export type RankSnapshot = Table | TableFailure;

/** True if a poll failed. */
export function isFailure(snapshot: RankSnapshot | undefined): snapshot is TableFailure {
  return snapshot !== undefined && "errno" in snapshot;
}

/** The snapshot of a poll that failed. */
export function failureOf(error: FluxError): TableFailure {
  return { errno: error.errno, message: errorText(error) };
}

/**
 * The table in an answer to a list.
 * @param before the snapshot before: the result is the same object if nothing has changed
 * @throws FluxError EPROTO if it is no such answer; EMSGSIZE if it is longer than a difference may be
 */
export function readTable({ rank, procs }: JsonObject, before: RankSnapshot | undefined): Table {
  if (!Number.isInteger(rank) || !Array.isArray(procs)) throw notRfc42();
  const last = before === undefined || isFailure(before) ? undefined : before;
  if (procs.length > MAX_ROWS) throw tooLong();
  const rows = new Map<number, ListedProcess>();
  let text = 0;
  let same = last?.rank === rank && last?.rows.size === procs.length;
  for (const proc of procs) {
    const row = readRow(proc);
    text += row.cmd.length + row.label.length + row.state.length;
    if (text > MAX_TEXT) throw tooLong();
    const earlier = last?.rows.get(row.pid);
    const unchanged = isSameRow(earlier, row);
    rows.set(row.pid, unchanged ? (earlier as ListedProcess) : row);
    same &&= unchanged;
  }
  return same && last !== undefined ? last : { rank: rank as number, rows };
}

/** The message that turns the snapshot `sent` into `next` for its receiver; undefined if they are the same. */
export function differenceOf(
  sent: RankSnapshot | undefined,
  next: RankSnapshot,
): TableDifference | TableFailure | undefined {
  if (isFailure(next)) return isFailure(sent) && isSameFailure(sent, next) ? undefined : next;
  const { rank, rows } = next;
  const before = sent === undefined || isFailure(sent) ? undefined : sent;
  const base = before?.rank === rank ? before.rows : undefined;
  // Rows of another poller are other objects: a client that resumes has the rows of the poller before.
  const procs = [...rows.values()].filter((row) => !isSameRow(base?.get(row.pid), row));
  const gone = [...(before?.rows.keys() ?? [])].filter((pid) => !rows.has(pid));
  return base !== undefined && procs.length === 0 && gone.length === 0 ? undefined : { rank, procs, gone };
}

function readRow(proc: unknown): ListedProcess {
  if (!isJsonObject(proc)) throw notRfc42();
  const { pid, cmd, label, state } = proc;
  if (!Number.isInteger(pid)) throw notRfc42();
  if (typeof cmd !== "string" || typeof label !== "string" || typeof state !== "string") throw notRfc42();
  return { pid: pid as number, cmd, label, state };
}

function isSameRow(a: ListedProcess | undefined, b: ListedProcess): boolean {
  return a === b || (a?.cmd === b.cmd && a.label === b.label && a.state === b.state);
}

function isSameFailure(a: TableFailure, b: TableFailure): boolean {
  return a.errno === b.errno && a.message === b.message;
}

function tooLong(): FluxError {
  return new FluxError("EMSGSIZE", `the list has more than ${MAX_ROWS} processes or ${MAX_TEXT} characters`);
}

function notRfc42(): FluxError {
  return new FluxError("EPROTO", "the answer to list is not what RFC 42 says");
}
