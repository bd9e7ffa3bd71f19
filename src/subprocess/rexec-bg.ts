import type { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { Rpc } from "../rpc.js";
import { type CommandOptions, commandCreate } from "./command.js";
import { checked } from "./payload.js";
import { type RankOptions, serviceRequest } from "./service.js";

/** Options of {@link rexecBg}. A process in background has no channels (RFC 42 exec). */
export interface RexecBgOptions extends Omit<CommandOptions, "channels">, RankOptions {
  /** Keep the exit status until somebody waits for it. Default: false. */
  waitable?: boolean | undefined;
}

/** The answer to a background exec (RFC 42 exec started response). */
export interface StartedResponse {
  type: "started";
  pid: number;
}

/** Python's counterpart is `SubprocessBackgroundRexecRPC`. */
export class SubprocessBackgroundRexecRpc extends Rpc<StartedResponse> {
  readonly #flux: Flux;
  readonly #nodeid: number | "any";

  /** @internal */
  constructor(flux: Flux, nodeid: number | "any", send: Observable<StartedResponse>) {
    super(send);
    this.#flux = flux;
    this.#nodeid = nodeid;
  }

  /** The pid of the remote process. */
  async getPid(): Promise<number> {
    return (await this.get()).pid;
  }

  /** The rank that the process was started on. */
  async getRank(): Promise<number> {
    await this.get();
    return this.#nodeid === "any" ? (this.#flux.session.rank as number) : this.#nodeid;
  }
}

/**
 * Starts a process in background: it outlives the connection and reads nothing (RFC 42 exec, non-streaming).
 * Python's counterpart is `flux.subprocess.rexec_bg`.
 *
 *     const pid = await rexecBg(flux, ["sleep", "60"], { label: "nap", waitable: true }).getPid();
 *
 * @param command the program and its arguments
 * @throws TypeError if an argument is wrong, or `opts` has `stdout_LINE_BUFFER` or `stderr_LINE_BUFFER` "false", which can end
 *   the broker of flux-core 0.88; FluxError from the Rpc: ENOENT or EACCES if the program cannot be run,
 *   EINVAL if the label is taken
 */
export function rexecBg(
  flux: Flux,
  command: readonly string[],
  { waitable = false, ...options }: RexecBgOptions = {},
): SubprocessBackgroundRexecRpc {
  const { label, cwd, env, opts } = options;
  const cmd = commandCreate(command, { label, cwd, env, opts });
  // Much output in chunks, which flux-core 0.88 logs, ends the rank's broker.
  for (const [key, value] of Object.entries(cmd.opts)) {
    if (/^std(out|err)_LINE_BUFFER=false$/i.test(`${key}=${value}`))
      throw new TypeError(`opts.${key} is "false" in background`);
  }
  const payload = { cmd, flags: waitable ? EXEC_FLAG.waitable : 0 };
  const send = serviceRequest(flux, "exec", payload, options, checked("exec", isStarted));
  return new SubprocessBackgroundRexecRpc(flux, options.nodeid ?? "any", send);
}

function isStarted(payload: Partial<StartedResponse>): payload is StartedResponse {
  return payload.type === "started" && Number.isInteger(payload.pid);
}
