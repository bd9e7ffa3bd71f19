import type { Flux } from "../flux.js";
import { checkOptions } from "../protocol/options.js";
import { type IoObject, ioBytes } from "../protocol/rfc42.js";
import { Rpc } from "../rpc.js";
import { concat } from "./bytes.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import { payloadReader } from "./payload.js";
import {
  type PidOrLabel,
  PROCESS_OPTIONS,
  processFields,
  RANK_OPTIONS,
  type RankOptions,
  SERVICE_OPTIONS,
  serviceRequest,
} from "./service.js";

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
    const pieces = (await this.getOutput()).filter((io) => io.stream === stream).map(ioBytes);
    return concat(pieces);
  }
}

/**
 * Waits for a process that was started with `waitable`, and takes its exit status (RFC 42 wait).
 * Python's counterpart is `flux.subprocess.wait`.
 *
 * @param options the process
 * @returns errors with a FluxError: ESRCH if no such process exists, EINVAL if it is not waitable or another client waits for it, EBUSY
 *   if a client is attached to it
 * @throws TypeError if neither or both of pid and label are given, or an option is not valid
 *
 * @example
 * ```ts
 * await rexecBg(flux, ["sh", "-c", "echo done; exit 4"], { label: "job", waitable: true }).get();
 * const rpc = wait(flux, { label: "job" });
 * console.log(describeOutcome(await rpc.getOutcome())); // exited with 4
 * console.log(new TextDecoder().decode(await rpc.stdout).trim()); // done
 * ```
 */
export function wait(flux: Flux, options: PidOrLabel & RankOptions): SubprocessWaitRpc {
  checkOptions("wait", options, PROCESS_OPTIONS, RANK_OPTIONS, SERVICE_OPTIONS);
  const { answerTimeout = Number.POSITIVE_INFINITY } = options;
  const send = serviceRequest(
    flux,
    "wait",
    processFields(options),
    { ...options, answerTimeout },
    payloadReader(isWaitResponse),
  );
  return new SubprocessWaitRpc(send);
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
