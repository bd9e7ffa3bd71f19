import { FluxError } from "../errors.js";
import type { Flux } from "../flux.js";
import { abortSignal, isObject, milliseconds } from "../protocol/checks.js";
import { decodeIdset, encodeIdset } from "../protocol/idset.js";
import { checkOptions, type OptionChecks } from "../protocol/options.js";
import { f58, type JobId, jobNumber } from "./id.js";

/** Options of {@link job}. */
export interface JobOptions {
  /** When aborted, the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the job's ranks and service are known. Then the promise rejects with ETIMEDOUT.
   * @default 30_000
   */
  answerTimeout?: number | undefined;
}

const JOB_OPTIONS: OptionChecks<JobOptions> = {
  signal: abortSignal,
  answerTimeout: milliseconds,
};

/** The place of a verb's process in a job: options of every verb, to which others may be added. */
export interface JobTarget<N extends number | string> {
  /** The subprocess service of the job's shells. */
  service: string;
  /** The broker's rank, or an idset of such ranks. */
  nodeid: N;
}

/** The service of a job. It is no text, so that a job itself cannot be the options of a verb: `nodeid` would be a broker's rank there. */
export class JobService {
  /** Its name, such as "1000-shell-f6sYx2X9.rexec". */
  readonly name: string;

  /** @param name such as "1000-shell-f6sYx2X9.rexec" */
  constructor(name: string) {
    this.name = name;
  }

  /** For the error of a verb. */
  toJSON(): string {
    return `the service of a job, whose node() and nodes() give service and nodeid`;
  }
}

/**
 * A job that runs: its nodes, counted from 0, and the service of its shells. {@link job} finds jobs.
 *
 * The ranks in events and answers are the broker's, as everywhere.
 */
export class Job {
  /** The id. */
  readonly id: bigint;
  /** The broker ranks of its nodes, in the order of the nodes. */
  readonly ranks: readonly number[];
  /** Its subprocess service. */
  readonly service: JobService;

  /** Not for applications: {@link job} finds jobs. */
  constructor(id: bigint, ranks: readonly number[], service: string) {
    this.id = id;
    this.ranks = ranks;
    this.service = new JobService(service);
  }

  /**
   * One node of the job, as options of a verb: `exec(flux, command, job.node(0))`.
   * @param index 0 to the number of nodes less 1. @default 0
   * @throws RangeError if the job has no such node
   */
  node(index = 0): JobTarget<number> {
    return { service: this.service.name, nodeid: this.#rank(index) };
  }

  /**
   * Nodes of the job, as options of a verb that takes several ranks: `exec(flux, command, job.nodes("0-1"))`.
   * @param indices an array, or an idset, of indices. @default all nodes
   * @throws RangeError if the job has no such node; TypeError if `indices` is empty or not an idset
   */
  nodes(indices: readonly number[] | string = this.ranks.map((_, index) => index)): JobTarget<string> {
    const ranks = (typeof indices === "string" ? decodeIdset(indices) : indices).map((index) =>
      this.#rank(index),
    );
    if (ranks.length === 0) throw new TypeError("no node of the job is named");
    return {
      service: this.service.name,
      nodeid: encodeIdset([...new Set(ranks)].sort((a, b) => a - b)),
    };
  }

  #rank(index: number): number {
    const rank = this.ranks[index];
    if (rank !== undefined) return rank;
    throw new RangeError(`job ${f58(this.id)} has nodes 0 to ${this.ranks.length - 1}, not ${index}`);
  }
}

/** RFC 21: the states of a job before it runs. */
const BEFORE: Readonly<Record<number, string>> = { 1: "NEW", 2: "DEPEND", 4: "PRIORITY", 8: "SCHED" };
const RUN = 16;

const LIST = "job-list.list-id";
const WATCH = "job-info.eventlog-watch";

/** FLUX_JOB_EVENT_WATCH_WAITCREATE: the log may be created later. */
const WAITCREATE = 1;

/**
 * Finds a job that runs, to start processes beside its own, as `flux exec --jobid` does. Waits until its shells are ready.
 *
 * The token must allow `rpc` of job-list.list-id and `stream` of job-info.eventlog-watch. On an instance of several users, the job must be
 * the user's own, and its shells require signatures ({@link ServiceOptions.sign}).
 *
 * @param flux the handle
 * @param id in F58 ("ƒ6sYx2X9" or "f6sYx2X9"), decimal or hexadecimal text, or as a BigInt
 * @param options a deadline, a signal
 * @returns rejects with a FluxError: ENOENT if there is no such job, EAGAIN if it does not run yet, ESRCH if it has ended, EPERM if the
 *   token or Flux does not allow it, ETIMEDOUT
 * @throws TypeError if `id` is not a job id
 *
 * @example
 * ```ts
 * try {
 *   const found = await job(flux, "ƒ6sYx2X9");
 *   exec(flux, ["hostname"], found.node(0)).pipe(stdout(), lines()).subscribe(console.log);
 *   exec(flux, ["sort"], { ...found.nodes(), stdin: "b\na\n" }).pipe(collect()).subscribe(console.log);
 * } catch (error) {
 *   console.log(error instanceof FluxError && error.code); // ENOSYS
 * }
 * ```
 */
export async function job(flux: Flux, id: JobId, options: JobOptions = {}): Promise<Job> {
  const number = jobNumber(id);
  checkOptions("job", options, JOB_OPTIONS);
  const { signal, answerTimeout = 30_000 } = options;
  const name = f58(number);
  const late = Date.now() + answerTimeout;
  const { state, ranks } = await stateOf(flux, number, { signal, answerTimeout });
  if (state !== RUN) {
    const before = BEFORE[state];
    throw before
      ? new FluxError("EAGAIN", `job ${name} does not run yet: it is in the state ${before}`, { topic: LIST })
      : new FluxError("ESRCH", `job ${name} has ended`, { topic: LIST });
  }
  const service = await shellService(flux, number, { signal, answerTimeout: Math.max(late - Date.now(), 1) });
  return new Job(number, decodeIdset(ranks), `${service}.rexec`);
}

async function stateOf(
  flux: Flux,
  id: bigint,
  options: JobOptions,
): Promise<{ state: number; ranks: string }> {
  try {
    const answer = await flux.rpc<{ job?: unknown }>(LIST, { id, attrs: ["state", "ranks"] }, options);
    const { state, ranks } = isObject(answer.job) ? answer.job : {};
    if (typeof state !== "number" || (state === RUN && typeof ranks !== "string")) {
      throw new FluxError("EPROTO", `the answer has no state and ranks of job ${f58(id)}`, { topic: LIST });
    }
    return { state, ranks: String(ranks) };
  } catch (cause) {
    if (!(cause instanceof FluxError) || cause.code !== "ENOENT") throw cause;
    throw new FluxError("ENOENT", `there is no job ${f58(id)}`, { topic: LIST, cause });
  }
}

/** The service in the event `shell.init` of the job's log. */
function shellService(
  flux: Flux,
  id: bigint,
  { signal, answerTimeout }: { signal: AbortSignal | undefined; answerTimeout: number },
): Promise<string> {
  const payload = { id, path: "guest.exec.eventlog", flags: WAITCREATE };
  return new Promise((resolve, reject) => {
    const fail = (code: "ETIMEDOUT" | "ESRCH", what: string) =>
      reject(new FluxError(code, `job ${f58(id)} ${what}`, { topic: WATCH }));
    const watch = flux.rpc<{ event?: unknown }>(WATCH, payload, { streaming: true, signal }).subscribe({
      next: ({ event }) => {
        const service = shellInit(event);
        if (service === undefined) return;
        resolve(service);
        queueMicrotask(() => watch.unsubscribe());
      },
      error: reject,
      complete: () => fail("ESRCH", "has ended"),
    });
    const timer = setTimeout(() => {
      watch.unsubscribe();
      fail("ETIMEDOUT", `has no shell that is ready, for ${answerTimeout / 1000} s`);
    }, answerTimeout);
    watch.add(() => clearTimeout(timer));
  });
}

/** The service of an entry of an eventlog (RFC 18); undefined for another entry. */
function shellInit(entry: unknown): string | undefined {
  try {
    const { name, context } = JSON.parse(String(entry));
    return name === "shell.init" && typeof context?.service === "string" ? context.service : undefined;
  } catch {
    return undefined;
  }
}
