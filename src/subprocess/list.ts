import type { Observable } from "rxjs";
import type { FluxError } from "../errors.js";
import type { Flux } from "../flux.js";
import { checkOptions } from "../protocol/options.js";
import type { ListedProcess } from "../protocol/watch.js";
import { RanksRpc } from "../ranks-rpc.js";
import { Rpc } from "../rpc.js";
import { payloadReader } from "./payload.js";
import type { PidRef } from "./process-ref.js";
import {
  RANK_OPTIONS,
  type RankOptions,
  SERVICE_OPTIONS,
  serviceRanksRequest,
  serviceRequest,
} from "./service.js";
import { type ByTarget, isOneRank, type Target } from "./target.js";

/** A process of a subprocess server. Python's counterpart is `flux.subprocess.Subprocess`. */
export class Subprocess {
  /** The process id. */
  readonly pid: number;
  /** The broker rank. */
  readonly rank: number;
  /** "R" if it runs, "Z" if it has ended and its status was not taken by {@link wait}. */
  readonly state: string;
  /** The label, or "-". */
  readonly label: string;
  /** The first word of its command. */
  readonly cmd: string;
  readonly #service: string;

  /** @param fields a process of a {@link ListResponse}, with its rank; an empty label becomes "-", no service "rexec" */
  constructor(fields: {
    pid: number;
    rank: number;
    state: string;
    label: string;
    cmd: string;
    service?: string;
  }) {
    this.pid = fields.pid;
    this.rank = fields.rank;
    this.state = fields.state;
    this.label = fields.label || "-";
    this.cmd = fields.cmd;
    this.#service = fields.service ?? "rexec";
  }

  /** The name of this process for {@link kill}, {@link wait} and {@link attach}. */
  get ref(): PidRef {
    return { service: this.#service, rank: this.rank, pid: this.pid };
  }
}

/** The answer to a list, as Flux sends it (RFC 42 list response). */
export interface ListResponse {
  /** The rank that has answered. */
  rank: number;
  /** Its processes. */
  procs: readonly ListedProcess[];
}

/** The request of {@link list}. Python's counterpart is `SubprocessListRPC`. */
export class SubprocessListRpc extends Rpc<ListResponse> {
  readonly #service: string;

  /** Not for applications: {@link list} makes these. */
  constructor(send: never, service: never);
  /** @internal */
  constructor(send: Observable<ListResponse>, service: string);
  constructor(send: Observable<ListResponse>, service: string) {
    super(send);
    this.#service = service;
  }

  /** The processes of the rank. */
  async getProcesses(): Promise<Subprocess[]> {
    return processesOf(await this.get(), this.#service);
  }
}

/** The request of {@link list} on several ranks. */
export class SubprocessListRanksRpc extends RanksRpc<ListResponse> {
  readonly #service: string;

  /** Not for applications: {@link list} makes these. */
  constructor(send: never, service: never);
  /** @internal */
  constructor(send: Observable<ListResponse | FluxError>, service: string);
  constructor(send: Observable<ListResponse | FluxError>, service: string) {
    super(send);
    this.#service = service;
  }

  /** The processes of all ranks, sorted by rank. @returns rejects with a {@link RankError} if a rank has failed */
  async getProcesses(): Promise<Subprocess[]> {
    return (await this.get()).flatMap((response) => processesOf(response, this.#service));
  }
}

function processesOf({ rank, procs }: ListResponse, service: string): Subprocess[] {
  return procs.map((process) => new Subprocess({ ...process, rank, service }));
}

/**
 * Lists the processes of a subprocess server (RFC 42 list). Python's counterpart is `flux.subprocess.list`.
 *
 * @param options the ranks and the service
 * @returns errors with a FluxError: EHOSTUNREACH if no such rank exists, EPERM if the broker does not allow it; on several ranks with a
 *   {@link RankError}
 * @throws TypeError if an option is not valid
 *
 * @example
 * ```ts
 * await rexecBg(flux, ["sleep", "60"], { label: "nap", nodeid: [1, 2] });
 * const processes = await list(flux, { nodeid: "all" }).getProcesses();
 * for (const { rank, cmd, label, state } of processes) console.log(rank, cmd, label, state); // 1 sleep nap R, 2 sleep nap R
 * ```
 */
export function list<N extends Target | undefined = undefined>(
  flux: Flux,
  options?: RankOptions<N>,
): ByTarget<N, SubprocessListRpc, SubprocessListRanksRpc>;
export function list(flux: Flux, options: RankOptions = {}): SubprocessListRpc | SubprocessListRanksRpc {
  checkOptions("list", options, RANK_OPTIONS, SERVICE_OPTIONS);
  const { service = "rexec", nodeid } = options;
  const read = payloadReader(isListResponse);
  return isOneRank(nodeid)
    ? new SubprocessListRpc(serviceRequest(flux, "list", {}, { ...options, nodeid }, read), service)
    : new SubprocessListRanksRpc(serviceRanksRequest(flux, "list", {}, options, read), service);
}

/** True for the answer to an RFC 42 list. */
export function isListResponse(payload: Partial<ListResponse>): payload is ListResponse {
  return (
    Number.isInteger(payload.rank) &&
    Array.isArray(payload.procs) &&
    payload.procs.every(
      (process) =>
        Number.isInteger(process?.pid) &&
        typeof process.cmd === "string" &&
        typeof process.label === "string" &&
        typeof process.state === "string",
    )
  );
}
