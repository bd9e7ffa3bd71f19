import type { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { type IoObject, ioBytes } from "../protocol/rfc42.js";
import { Rpc } from "../rpc.js";
import { concat } from "./bytes.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import { checked } from "./payload.js";
import { type PidOrLabel, processFields, type RankOptions, serviceRequest } from "./service.js";

/** The answer to a wait (RFC 42 wait response). */
export interface WaitResponse {
  /** The raw wait status, as from waitpid(2). */
  status: number;
  /** What the server kept of the output: the last 8 KiB or so. */
  output?: readonly IoObject[];
}

/** Python's counterpart is `SubprocessWaitRPC`. */
export class SubprocessWaitRpc extends Rpc<WaitResponse> {
  /** @internal */
  constructor(send: Observable<WaitResponse>) {
    super(send);
  }

  /** The raw wait status. */
  async getStatus(): Promise<number> {
    return (await this.get()).status;
  }

  /** How the process ended. */
  async getOutcome(): Promise<Outcome> {
    return outcomeOf(await this.getStatus());
  }

  /** The retained I/O objects in the order produced; none if the server retained none. */
  async getOutput(): Promise<readonly IoObject[]> {
    return (await this.get()).output ?? [];
  }

  /** Retained standard output. */
  get stdout(): Promise<Uint8Array> {
    return this.#bytes("stdout");
  }

  /** Retained standard error. */
  get stderr(): Promise<Uint8Array> {
    return this.#bytes("stderr");
  }

  async #bytes(stream: string): Promise<Uint8Array> {
    const pieces = (await this.getOutput()).filter((io) => io.stream === stream).map(ioBytes);
    return concat(pieces);
  }
}

/**
 * Waits for a process that was started with `waitable` and takes its exit status (RFC 42 wait).
 * Python's counterpart is `flux.subprocess.wait`.
 *
 *     const status = await wait(flux, { label: "job" }).getStatus();
 *
 * @throws TypeError if neither or both of pid and label are given; FluxError from the Rpc: ESRCH if there is no such
 *   process, EINVAL if it is not waitable or somebody waits for it, EBUSY if somebody is attached to it
 */
export function wait(flux: Flux, options: PidOrLabel & RankOptions): SubprocessWaitRpc {
  const { timeout = Number.POSITIVE_INFINITY } = options;
  const send = serviceRequest(
    flux,
    "wait",
    processFields(options),
    { ...options, timeout },
    checked("wait", isWaitResponse),
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
