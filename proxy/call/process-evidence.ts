/** Answers as evidence: which processes run, for the session that may name them by pid, and for the quotas of all subjects. */
import type { ListedRow } from "../policy/list-redaction.js";
import type { ParsedRequest } from "../policy/parsed-request.js";
import type { SessionProcesses } from "../policy/session-processes.js";
import type { Usage } from "../usage.js";

/** The places where evidence goes. */
export interface ProcessEvidenceOptions {
  parsed: ParsedRequest;
  /** True if the rank that answers is the one that the request names. An answer of another rank is no evidence. */
  answererCertain: boolean;
  processes: SessionProcesses;
  usage: Usage;
}

/** The evidence of one operation. */
export class ProcessEvidence {
  readonly #options: ProcessEvidenceOptions;
  /** The time of the request, in ticks of the usage. */
  readonly #requestedAt: number;

  constructor(options: ProcessEvidenceOptions) {
    this.#options = options;
    this.#requestedAt = options.usage.tick();
  }

  /** An exec has started a process. */
  started(rank: number, pid: number): void {
    const { parsed, processes, usage, answererCertain } = this.#options;
    if (!answererCertain) return;
    const { service, label, background } = parsed;
    processes.started(service, rank, pid, { label, foreground: !background, since: usage.tick() });
  }

  /** A list has come. @returns its rows that the session may see */
  listed(
    rank: number,
    rows: readonly ListedRow[],
    labels: readonly string[] | undefined,
  ): readonly ListedRow[] {
    const { parsed, processes, usage, answererCertain } = this.#options;
    if (!answererCertain) return rows;
    usage.listed(parsed.service, rank, rows, this.#requestedAt);
    return processes.listed(parsed.service, rank, rows, labels, this.#requestedAt);
  }

  /** The process of an exec in the foreground has ended. */
  ended(rank: number, pid: number): void {
    this.#options.processes.gone(this.#options.parsed.service, rank, pid);
  }

  /** The process that the request names has ended. @param pid as an answer gave it */
  namedProcessEnded(rank: number, pid: number | undefined): void {
    // sdexec accepts a label twice, so one of two may remain. Elsewhere a label is unique (RFC 42).
    const { label, service } = this.#options.parsed;
    if (label === undefined || service !== "sdexec") this.#goneFromUsage(rank, pid);
    this.#goneFromSession(rank, pid);
  }

  /** There is no process of the name that the request has. */
  noSuchProcess(rank: number, pid: number | undefined): void {
    this.#goneFromUsage(rank, pid);
    this.#goneFromSession(rank, pid);
  }

  #goneFromUsage(rank: number, answeredPid: number | undefined): void {
    const { parsed, usage, answererCertain } = this.#options;
    const { label, service } = parsed;
    const pid = answeredPid ?? parsed.pid;
    const name = label === undefined ? { ...(pid === undefined ? {} : { pid }) } : { label };
    if (answererCertain) usage.gone(service, rank, name, this.#requestedAt);
  }

  #goneFromSession(rank: number, answeredPid: number | undefined): void {
    const { parsed, processes } = this.#options;
    const { label, service } = parsed;
    const pid = answeredPid ?? parsed.pid;
    // The end of a process in the foreground is the end of its exec.
    if (label !== undefined || pid === undefined || processes.isForeground(service, rank, pid)) return;
    processes.gone(service, rank, pid);
  }
}
