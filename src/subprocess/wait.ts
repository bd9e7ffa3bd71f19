import type { Flux } from "../flux.js";
import { checkOptions } from "../protocol/options.js";
import { type IoObject, ioBytes } from "../protocol/rfc42.js";
import { RanksRpc } from "../ranks-rpc.js";
import { Rpc } from "../rpc.js";
import { type Bytes, concat } from "./bytes.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import { payloadReader } from "./payload.js";
import { PROCESS_OPTIONS, type ProcessOptions, processFields, processTarget } from "./process-ref.js";
import {
  RANK_OPTIONS,
  type RankOptions,
  SERVICE_OPTIONS,
  serviceRanksRequest,
  serviceRequest,
} from "./service.js";
import { type ByTarget, isOneRank, type Target } from "./target.js";

/** The answer to a wait (RFC 42 wait response). */
export interface WaitResponse {
  /** The raw wait status, as from waitpid(2). */
  status: number;
  /** Retained output: about the last 8 KiB. Absent if the server retained none. */
  output?: readonly IoObject[];
}

/** The request of {@link wait}. Python's counterpart is `SubprocessWaitRPC`. */
export class SubprocessWaitRpc extends Rpc<WaitResponse> {
  /** The raw wait status, as from waitpid(2). @returns rejects with a FluxError */
  async getStatus(): Promise<number> {
    return (await this.get()).status;
  }

  /** How the process ended. @returns rejects with a FluxError */
  async getOutcome(): Promise<Outcome> {
    return outcomeOf(await this.getStatus());
  }

  /** The retained I/O objects (RFC 42), in the order of output. @returns rejects with a FluxError */
  async getOutput(): Promise<readonly IoObject[]> {
    return (await this.get()).output ?? [];
  }

  /** Retained standard output. Rejects with a FluxError. */
  get stdout(): Promise<Uint8Array> {
    return this.#bytes("stdout");
  }

  /** Retained standard error. Rejects with a FluxError. */
  get stderr(): Promise<Uint8Array> {
    return this.#bytes("stderr");
  }

  async #bytes(stream: string): Promise<Uint8Array> {
    return bytesOf(await this.getOutput(), stream);
  }
}

/** The end of a process on one of several ranks. */
export interface WaitResult {
  /** The broker rank. */
  readonly rank: number;
  /** The raw wait status, as from waitpid(2). */
  readonly status: number;
  /** How the process ended. */
  readonly outcome: Outcome;
  /** The retained I/O objects (RFC 42), in the order of output. */
  readonly output: readonly IoObject[];
  /** Retained standard output. */
  readonly stdout: Bytes;
  /** Retained standard error. */
  readonly stderr: Bytes;
}

/** Options of {@link wait}. @typeParam N the type of `nodeid` */
export type WaitOptions<N extends Target | undefined = Target | undefined> = ProcessOptions & RankOptions<N>;

/**
 * Waits for a process that was started with `waitable`, and takes its exit status (RFC 42 wait).
 * Python's counterpart is `flux.subprocess.wait`.
 *
 * @param options the process: a {@link ProcessRef}, or a label on any ranks
 * @returns errors with a FluxError: ESRCH if no such process exists, EINVAL if it is not waitable or another client waits for it, EBUSY
 *   if a client is attached to it; on several ranks with a {@link RankError}
 * @throws TypeError if neither or both of pid and label are given, a pid has several ranks, or an option is not valid
 *
 * @example
 * ```ts
 * const job = await rexecBg(flux, ["sh", "-c", "echo done; exit 4"], { waitable: true });
 * const rpc = wait(flux, job);
 * console.log(describeOutcome(await rpc.getOutcome())); // exited with 4
 * console.log(new TextDecoder().decode(await rpc.stdout).trim()); // done
 * ```
 *
 * @example
 * ```ts
 * const where = { label: "job", nodeid: "0-1" } as const;
 * await rexecBg(flux, ["sh", "-c", "echo done"], { ...where, waitable: true });
 * for (const { rank, outcome } of await wait(flux, where)) console.log(rank, describeOutcome(outcome)); // 0 exited with 0, 1 exited with 0
 * ```
 */
export function wait<N extends Target | undefined = undefined>(
  flux: Flux,
  options: WaitOptions<N>,
): ByTarget<N, SubprocessWaitRpc, RanksRpc<WaitResult>>;
export function wait(flux: Flux, options: WaitOptions): SubprocessWaitRpc | RanksRpc<WaitResult> {
  checkOptions("wait", options, PROCESS_OPTIONS, RANK_OPTIONS, SERVICE_OPTIONS);
  const { answerTimeout = Number.POSITIVE_INFINITY } = options;
  const fields = processFields(options);
  const nodeid = processTarget(options);
  const read = payloadReader(isWaitResponse);
  if (isOneRank(nodeid)) {
    return new SubprocessWaitRpc(
      serviceRequest(flux, "wait", fields, { ...options, nodeid, answerTimeout }, read),
    );
  }
  const result = (payload: object, rank: number): WaitResult => {
    const { status, output = [] } = read(payload);
    return {
      rank,
      status,
      outcome: outcomeOf(status),
      output,
      stdout: bytesOf(output, "stdout"),
      stderr: bytesOf(output, "stderr"),
    };
  };
  return new RanksRpc(
    serviceRanksRequest(flux, "wait", fields, { ...options, nodeid, answerTimeout }, result),
  );
}

function bytesOf(output: readonly IoObject[], stream: string): Bytes {
  return concat(output.filter((io) => io.stream === stream).map(ioBytes));
}

function isWaitResponse(payload: Partial<WaitResponse>): payload is WaitResponse {
  const { status, output } = payload;
  return (
    Number.isInteger(status) && (output === undefined || (Array.isArray(output) && output.every(isIoObject)))
  );
}

function isIoObject(io: Partial<IoObject> | null): io is IoObject {
  const isText = (text: unknown) => text === undefined || typeof text === "string";
  return typeof io?.stream === "string" && isText(io.data) && isText(io.encoding);
}
