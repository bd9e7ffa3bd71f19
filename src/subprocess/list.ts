import type { Flux } from "../flux.js";
import { checkOptions } from "../protocol/options.js";
import type { ListedProcess } from "../protocol/watch.js";
import { Rpc } from "../rpc.js";
import { payloadReader } from "./payload.js";
import { RANK_OPTIONS, type RankOptions, SERVICE_OPTIONS, serviceRequest } from "./service.js";

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

  /** @param fields a process of a {@link ListResponse}, with its rank; an empty label becomes "-" */
  constructor(fields: { pid: number; rank: number; state: string; label: string; cmd: string }) {
    this.pid = fields.pid;
    this.rank = fields.rank;
    this.state = fields.state;
    this.label = fields.label || "-";
    this.cmd = fields.cmd;
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
  /** The processes of the rank. */
  async getProcesses(): Promise<Subprocess[]> {
    const { rank, procs } = await this.get();
    return procs.map((process) => new Subprocess({ ...process, rank }));
  }
}

/**
 * Lists the processes of a subprocess server on one rank (RFC 42 list). Python's counterpart is `flux.subprocess.list`.
 *
 * @param options the rank and the service
 * @returns errors with a FluxError: EHOSTUNREACH if no such rank exists, EPERM if the broker does not allow it
 * @throws TypeError if an option is not valid
 *
 * @example
 * ```ts
 * await rexecBg(flux, ["sleep", "60"], { label: "nap", nodeid: 2 }).get();
 * const processes = await list(flux, { nodeid: 2 }).getProcesses();
 * for (const { rank, cmd, label, state } of processes) console.log(rank, cmd, label, state); // 2 sleep nap R
 * ```
 */
export function list(flux: Flux, options: RankOptions = {}): SubprocessListRpc {
  checkOptions("list", options, RANK_OPTIONS, SERVICE_OPTIONS);
  const send = serviceRequest(flux, "list", {}, options, payloadReader(isListResponse));
  return new SubprocessListRpc(send);
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
