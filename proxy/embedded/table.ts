/** The processes of one rank, by pid and by label. */
import { FluxError, type FluxErrorCode } from "../../src/errors.js";
import type { Subprocess } from "./subprocess.js";

/** The processes in the order of their starts, which is the order of a list response. */
export class ProcessTable {
  readonly #processes = new Set<Subprocess>();
  readonly #labels = new Map<string, Subprocess>();

  [Symbol.iterator](): IterableIterator<Subprocess> {
    return this.#processes.values();
  }

  add(subprocess: Subprocess): void {
    this.#processes.add(subprocess);
    if (subprocess.command.label !== undefined) this.#labels.set(subprocess.command.label, subprocess);
  }

  delete(subprocess: Subprocess): void {
    if (this.#processes.delete(subprocess) && subprocess.command.label !== undefined) {
      this.#labels.delete(subprocess.command.label);
    }
  }

  hasLabel(label: string | undefined): boolean {
    return label !== undefined && this.#labels.has(label);
  }

  /**
   * The process that a request names; the label decides if both are present (RFC 42 kill).
   * @throws FluxError with `missing` if the table has no such process
   */
  find(
    { pid, label }: { pid: number; label: string | undefined },
    missing: FluxErrorCode = "ESRCH",
  ): Subprocess {
    const found =
      label === undefined
        ? [...this.#processes].find((subprocess) => subprocess.pid === pid)
        : this.#labels.get(label);
    if (found) return found;
    const name = label === undefined ? `pid ${pid}` : `label ${label}`;
    throw new FluxError(missing, `${name} does not belong to any subprocess`);
  }
}
