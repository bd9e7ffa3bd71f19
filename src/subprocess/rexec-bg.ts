import type { Flux } from "../flux.js";
import { boolean } from "../protocol/checks.js";
import { checkOptions } from "../protocol/options.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { RanksRpc } from "../ranks-rpc.js";
import { Rpc } from "../rpc.js";
import { COMMAND_OPTIONS } from "./command.js";
import { LAUNCH_OPTIONS, type LaunchOptions, launchedCommand } from "./launch.js";
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

/** Options of {@link rexecBg}. A background process has no channels (RFC 42 exec). @typeParam N the type of `nodeid` */
export interface RexecBgOptions<N extends Target | undefined = Target | undefined>
  extends Omit<LaunchOptions, "channels">,
    RankOptions<N> {
  /**
   * Keep the exit status until {@link wait} takes it.
   * @default false
   */
  waitable?: boolean | undefined;
}

/** The request of {@link rexecBg}. Python's counterpart is `SubprocessBackgroundRexecRPC`. */
export class SubprocessBackgroundRexecRpc extends Rpc<PidRef> {
  /** The pid of the process. @returns rejects with a FluxError */
  async getPid(): Promise<number> {
    return (await this.get()).pid;
  }

  /** The rank of the process. @returns rejects with a FluxError */
  async getRank(): Promise<number> {
    return (await this.get()).rank;
  }
}

/**
 * Starts a background process (RFC 42 exec, non-streaming). It outlives the session and has no input. With a `cwd` that does not exist,
 * or with `cwd` or `extendEnv` a program that does not, it exits with 125 to 127, which {@link wait} reports: as env(1) does.
 * Python's counterpart is `flux.subprocess.rexec_bg`.
 *
 * @param command the program and its arguments
 * @param options the ranks, the label, and more
 * @returns emits the name of the process for {@link kill}, {@link wait} and {@link attach}; errors with a FluxError: ENOENT or EACCES if
 *   the program cannot be run, EINVAL if the label is taken; on several ranks with a {@link RankError}
 * @throws TypeError if an argument is not valid, or `opts` has `stdout_LINE_BUFFER` or `stderr_LINE_BUFFER` "false", which can crash the
 *   broker of flux-core 0.88
 *
 * @example
 * ```ts
 * const rpc = rexecBg(flux, ["sh", "-c", "exit 3"], { waitable: true, nodeid: 1 });
 * console.log(await rpc.getRank()); // 1
 * console.log(describeOutcome(await wait(flux, await rpc).getOutcome())); // exited with 3
 * ```
 *
 * @example
 * ```ts
 * const naps = await rexecBg(flux, ["sleep", "60"], { nodeid: [0, 3] });
 * console.log(naps.map(({ rank }) => rank).join()); // 0,3
 * for (const nap of naps) await kill(flux, nap);
 * ```
 */
export function rexecBg<N extends Target | undefined = undefined>(
  flux: Flux,
  command: readonly string[],
  options?: RexecBgOptions<N>,
): ByTarget<N, SubprocessBackgroundRexecRpc, RanksRpc<PidRef>>;
export function rexecBg(
  flux: Flux,
  command: readonly string[],
  options: RexecBgOptions = {},
): SubprocessBackgroundRexecRpc | RanksRpc<PidRef> {
  checkOptions("rexecBg", options, COMMAND_OPTIONS, LAUNCH_OPTIONS, RANK_OPTIONS, SERVICE_OPTIONS, {
    waitable: boolean,
  });
  const { waitable = false, label, cwd, env, opts, extendEnv, checkCwd, service = "rexec", nodeid } = options;
  const { cmd } = launchedCommand(command, { label, cwd, env, opts, extendEnv, checkCwd });
  // flux-core 0.88 logs background output, and crashes on large chunks.
  for (const [key, value] of Object.entries(cmd.opts)) {
    if (/^std(out|err)_LINE_BUFFER=false$/i.test(`${key}=${value}`))
      throw new TypeError(`opts.${key} is "false" in background`);
  }
  const payload = { cmd, flags: waitable ? EXEC_FLAG.waitable : 0 };
  const started = payloadReader(isStarted);
  const read = (answer: object, rank: number) => ({ service, rank, pid: started(answer).pid });
  const request = { ...options, program: command[0] };
  return isOneRank(nodeid)
    ? new SubprocessBackgroundRexecRpc(serviceRequest(flux, "exec", payload, { ...request, nodeid }, read))
    : new RanksRpc(serviceRanksRequest(flux, "exec", payload, request, read));
}

/** RFC 42 exec started response. */
interface StartedResponse {
  type: "started";
  pid: number;
}

function isStarted(payload: Partial<StartedResponse>): payload is StartedResponse {
  return payload.type === "started" && Number.isInteger(payload.pid);
}
