/** The process table that the messages of a watch add up to. PROTOCOL.md, "Watching". */
import { FluxError } from "../errors.js";
import type { TableDifference, TableFailure } from "../protocol/watch.js";
import { isListResponse, Subprocess } from "./list.js";
import { checked } from "./payload.js";

/**
 * The processes of a service on some ranks. Nothing of it ever changes: a change is another table. What has not changed is
 * the same object in both, be it a row, an error or an array, so that `===` tells.
 */
export interface ProcessTable {
  /** By rank, and on each by pid. */
  readonly processes: readonly Subprocess[];
  /** Of the ranks that do not tell what they have, by their `rank`. Such a rank has no processes here. */
  readonly errors: readonly FluxError[];
}

interface Rank {
  /** By pid. */
  rows: readonly Subprocess[];
  error: FluxError | undefined;
}

export class ProcessTables {
  readonly #topic: string;
  readonly #ranks = new Map<number, Rank>();
  #table: ProcessTable = { processes: [], errors: [] };
  /** What of it is not what the ranks have told. */
  #stale = { processes: false, errors: false };

  constructor(topic: string) {
    this.#topic = topic;
  }

  /** How many ranks have been heard of. */
  get size(): number {
    return this.#ranks.size;
  }

  /** Made when it is asked for: before every rank was heard of nobody does. */
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

  /** A rank has told what has changed. @returns whether it has. @throws FluxError EPROTO if it makes no sense */
  tell(rank: number, payload: object): boolean {
    if (isFailure(payload)) {
      return this.fail(new FluxError(payload.errno, payload.message, { topic: this.#topic, rank }));
    }
    const { procs, gone, rank: told } = checked("list", isDifference)(payload);
    const before = this.#ranks.get(rank);
    const rows = new Map(before?.rows.map((row) => [row.pid, row]));
    let changed = false;
    for (const pid of gone) changed = rows.delete(pid) || changed;
    for (const proc of procs) {
      const row = new Subprocess({ ...proc, rank: told });
      if (isSame(rows.get(row.pid), row)) continue;
      rows.set(row.pid, row);
      changed = true;
    }
    const after = changed ? [...rows.values()].sort((a, b) => a.pid - b.pid) : (before?.rows ?? []);
    return this.#put(rank, { rows: after, error: undefined });
  }

  /** A rank does not tell what it has. @returns whether that is new */
  fail(error: FluxError): boolean {
    const rank = error.rank as number;
    const before = this.#ranks.get(rank)?.error;
    const same = before?.errno === error.errno && before.message === error.message;
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
