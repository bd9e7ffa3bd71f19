/** Adds up the differences of a watch to process tables. PROTOCOL.md, "Watching". */
import type { FluxError } from "../errors.js";
import type { TableDifference, TableFailure } from "../protocol/watch.js";
import type { ClientCall } from "../session/client-call.js";
import { isListResponse, Subprocess } from "./list.js";
import { payloadReader } from "./payload.js";

/**
 * The processes of a service on some ranks. A table never changes: each change makes a new one. Rows, errors and arrays that are equal in
 * both are the same objects, so `===` finds the changes.
 */
export interface ProcessTable {
  /** Sorted by rank, then by pid. */
  readonly processes: readonly Subprocess[];
  /** One for each rank that has failed, sorted by `rank`. Such a rank has no processes here. */
  readonly errors: readonly FluxError[];
}

interface Rank {
  /** Sorted by pid. */
  rows: readonly Subprocess[];
  error: FluxError | undefined;
}

/** The latest table of one watch. */
export class ProcessTables {
  readonly #error: ClientCall["error"];
  readonly #service: string;
  readonly #ranks = new Map<number, Rank>();
  #table: ProcessTable = { processes: [], errors: [] };
  /** The arrays of `#table` that are older than the ranks' messages. */
  #stale = { processes: false, errors: false };

  /** @param error makes the errors of the watch @param service that of the processes */
  constructor(error: ClientCall["error"], service: string) {
    this.#error = error;
    this.#service = service;
  }

  /** The number of ranks that have sent a message. */
  get size(): number {
    return this.#ranks.size;
  }

  /** The latest table. Made here and not at each message, since no table is emitted until every rank has sent one. */
  get table(): ProcessTable {
    const { processes, errors } = this.#stale;
    if (!processes && !errors) return this.#table;
    const ranks = [...this.#ranks].sort(([a], [b]) => a - b).map(([, each]) => each);
    this.#table = {
      processes: processes ? ranks.flatMap(({ rows }) => rows) : this.#table.processes,
      errors: errors ? ranks.flatMap(({ error }) => error ?? []) : this.#table.errors,
    };
    this.#stale = { processes: false, errors: false };
    return this.#table;
  }

  /** Applies a message of a rank. @returns true if the table changes @throws FluxError EPROTO */
  apply(rank: number, payload: object): boolean {
    if (isFailure(payload)) {
      return this.fail(this.#error(payload.errno, payload.message, rank));
    }
    const { procs, gone, rank: answering } = payloadReader(isDifference)(payload);
    const before = this.#ranks.get(rank);
    const rows = new Map(before?.rows.map((row) => [row.pid, row]));
    let changed = false;
    for (const pid of gone) changed = rows.delete(pid) || changed;
    for (const proc of procs) {
      const row = new Subprocess({ ...proc, rank: answering, service: this.#service });
      if (isSame(rows.get(row.pid), row)) continue;
      rows.set(row.pid, row);
      changed = true;
    }
    const after = changed ? [...rows.values()].sort((a, b) => a.pid - b.pid) : (before?.rows ?? []);
    return this.#put(rank, { rows: after, error: undefined });
  }

  /** A rank has failed. @returns true if the table changes */
  fail(error: FluxError): boolean {
    const rank = error.rank as number;
    const before = this.#ranks.get(rank)?.error;
    const same = before?.errno === error.errno && before.reason === error.reason;
    return this.#put(rank, { rows: [], error: same ? before : error });
  }

  #put(rank: number, state: Rank): boolean {
    const before = this.#ranks.get(rank);
    this.#ranks.set(rank, state);
    const rows = before?.rows ?? [];
    const errors = before?.error !== state.error;
    const processes = rows !== state.rows && rows.length + state.rows.length > 0;
    this.#stale = { processes: this.#stale.processes || processes, errors: this.#stale.errors || errors };
    return processes || errors;
  }
}

function isSame(a: Subprocess | undefined, b: Subprocess): boolean {
  return a?.rank === b.rank && a.state === b.state && a.label === b.label && a.cmd === b.cmd;
}

function isFailure(payload: Partial<TableFailure>): payload is TableFailure {
  return Number.isInteger(payload.errno) && typeof payload.message === "string";
}

function isDifference(payload: Partial<TableDifference>): payload is TableDifference {
  const { gone } = payload;
  return isListResponse(payload) && Array.isArray(gone) && gone.every(Number.isInteger);
}
