import type { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { Rpc } from "../rpc.js";
import { checked } from "./payload.js";
import { type RankOptions, serviceRequest } from "./service.js";

/** A process of a subprocess server. Python's counterpart is `flux.subprocess.Subprocess`. */
export class Subprocess {
  readonly pid: number;
  readonly rank: number;
  /** "R" while it runs, "Z" when it has ended and waits to be waited for. */
  readonly state: string;
  /** "-" when it has none. */
  readonly label: string;
  /** The first word of its command. */
  readonly cmd: string;

  constructor(fields: { pid: number; rank: number; state: string; label: string; cmd: string }) {
    this.pid = fields.pid;
    this.rank = fields.rank;
    this.state = fields.state;
    this.label = fields.label || "-";
    this.cmd = fields.cmd;
  }
}

/** The answer to a list, as Flux sends it. */
export interface ListResponse {
  rank: number;
  procs: readonly { pid: number; cmd: string; label: string; state: string }[];
}

/** Python's counterpart is `SubprocessListRPC`. */
export class SubprocessListRpc extends Rpc<ListResponse> {
  /** @internal */
  constructor(send: Observable<ListResponse>) {
    super(send);
  }

  /** The processes of the rank. */
  async getProcesses(): Promise<Subprocess[]> {
    const { rank, procs } = await this.get();
    return procs.map((process) => new Subprocess({ ...process, rank }));
  }
}

/**
 * The processes that a subprocess server has on one rank. Python's counterpart is `flux.subprocess.list`.
 *
 *     for (const { pid, cmd } of await list(flux, { nodeid: 2 }).getProcesses()) console.log(pid, cmd);
 *
 * @throws FluxError from the Rpc: EHOSTUNREACH if there is no such rank, EPERM if the broker does not allow it
 */
export function list(flux: Flux, options: RankOptions = {}): SubprocessListRpc {
  const send = serviceRequest(flux, "list", {}, options, checked("list", isListResponse));
  return new SubprocessListRpc(send);
}

/** Whether it is the answer to a list (RFC 42). */
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
