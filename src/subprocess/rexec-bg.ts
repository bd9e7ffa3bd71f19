import type { Observable } from "rxjs";
import type { Flux } from "../flux.js";
import { boolean } from "../protocol/checks.js";
import { checkOptions } from "../protocol/options.js";
import { EXEC_FLAG } from "../protocol/rfc42.js";
import { Rpc } from "../rpc.js";
import { COMMAND_OPTIONS } from "./command.js";
import { LAUNCH_OPTIONS, type LaunchOptions, launchedCommand } from "./launch.js";
import { payloadReader } from "./payload.js";
import { RANK_OPTIONS, type RankOptions, SERVICE_OPTIONS, serviceRequest } from "./service.js";

/** Options of {@link rexecBg}. A background process has no channels (RFC 42 exec). */
export interface RexecBgOptions extends Omit<LaunchOptions, "channels">, RankOptions {
  /**
   * Keep the exit status until {@link wait} takes it.
   * @default false
   */
  waitable?: boolean | undefined;
}

/** The answer to a background exec (RFC 42 exec started response). */
export interface StartedResponse {
  /** "started". */
  type: "started";
  /** The process id. */
  pid: number;
}

/** The request of {@link rexecBg}. Python's counterpart is `SubprocessBackgroundRexecRPC`. */
export class SubprocessBackgroundRexecRpc extends Rpc<StartedResponse> {
  readonly #rank: () => number;

  /** Not for applications: {@link rexecBg} makes these. */
  constructor(send: never, rank: never);
  /** @internal @param rank returns the rank that has answered */
  constructor(send: Observable<StartedResponse>, rank: () => number);
  constructor(send: Observable<StartedResponse>, rank: () => number) {
    super(send);
    this.#rank = rank;
  }

  /** The pid of the process. @returns rejects with a FluxError */
  async getPid(): Promise<number> {
    return (await this.get()).pid;
  }

  /** The rank of the process. @returns rejects with a FluxError */
  async getRank(): Promise<number> {
    await this.get();
    return this.#rank();
  }
}

/**
 * Starts a background process (RFC 42 exec, non-streaming). It outlives the session and has no input. With a `cwd` that does not exist,
 * or with `cwd` or `extendEnv` a program that does not, it exits with 125 to 127, which {@link wait} reports: as env(1) does.
 * Python's counterpart is `flux.subprocess.rexec_bg`.
 *
 * @param command the program and its arguments
 * @param options the rank, the label, and more
 * @returns errors with a FluxError: ENOENT or EACCES if the program cannot be run, EINVAL if the label is taken
 * @throws TypeError if an argument is not valid, or `opts` has `stdout_LINE_BUFFER` or `stderr_LINE_BUFFER` "false", which can crash the
 *   broker of flux-core 0.88
 *
 * @example
 * ```ts
 * const rpc = rexecBg(flux, ["sh", "-c", "exit 3"], { waitable: true, nodeid: 1 });
 * const pid = await rpc.getPid();
 * console.log(await rpc.getRank()); // 1
 * console.log(describeOutcome(await wait(flux, { pid, nodeid: 1 }).getOutcome())); // exited with 3
 * ```
 */
export function rexecBg(
  flux: Flux,
  command: readonly string[],
  options: RexecBgOptions = {},
): SubprocessBackgroundRexecRpc {
  checkOptions("rexecBg", options, COMMAND_OPTIONS, LAUNCH_OPTIONS, RANK_OPTIONS, SERVICE_OPTIONS, {
    waitable: boolean,
  });
  const { waitable = false, label, cwd, env, opts, extendEnv, checkCwd } = options;
  const { cmd } = launchedCommand(command, { label, cwd, env, opts, extendEnv, checkCwd });
  // flux-core 0.88 logs background output, and crashes on large chunks.
  for (const [key, value] of Object.entries(cmd.opts)) {
    if (/^std(out|err)_LINE_BUFFER=false$/i.test(`${key}=${value}`))
      throw new TypeError(`opts.${key} is "false" in background`);
  }
  const payload = { cmd, flags: waitable ? EXEC_FLAG.waitable : 0 };
  const read = payloadReader(isStarted);
  let answering!: number;
  const send = serviceRequest(flux, "exec", payload, { ...options, program: command[0] }, (answer, rank) => {
    answering = rank;
    return read(answer);
  });
  return new SubprocessBackgroundRexecRpc(send, () => answering);
}

function isStarted(payload: Partial<StartedResponse>): payload is StartedResponse {
  return payload.type === "started" && Number.isInteger(payload.pid);
}
