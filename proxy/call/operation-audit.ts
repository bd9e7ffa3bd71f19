/** The audit record of one operation, collected until its end. */

/** The result of an operation. */
export interface OperationEnd {
  /** The first error of a rank; 0 if all ranks succeeded. */
  errno: number;
  /** From the request to its end, in milliseconds. */
  durationMs: number;
  /** Bytes of process input. */
  bytesIn: number;
  /** Bytes of process output. */
  bytesOut: number;
  /** The processes that it started or attached to, in the order of their answers. */
  pids: number[] | undefined;
}

/** Collects the result of one operation, and records it once. */
export class OperationAudit {
  readonly #record: (end: OperationEnd) => void;
  readonly #beganAt = performance.now();
  #errno = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #recorded = false;

  /** @param record writes the record */
  constructor(record: (end: OperationEnd) => void) {
    this.#record = record;
  }

  /** Counts bytes of process input. */
  addInput(bytes: number): void {
    this.#bytesIn += bytes;
  }

  /** Counts bytes of process output. */
  addOutput(bytes: number): void {
    this.#bytesOut += bytes;
  }

  /** A rank failed. The record has the first error. */
  addError(errno: number): void {
    this.#errno ||= errno;
  }

  /** The operation is over. @param pids of its processes; none for an operation that follows no process */
  end(pids: Iterable<number>): void {
    if (this.#recorded) return;
    this.#recorded = true;
    const all = [...pids];
    this.#record({
      errno: this.#errno,
      durationMs: Math.round(performance.now() - this.#beganAt),
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      pids: all.length === 0 ? undefined : all,
    });
  }
}
