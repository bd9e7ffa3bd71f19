/** The client of flux-subprocess: Flux's subprocess API (RFC 42) as RxJS observables. */
export { type ConnectOptions, connect, type Token } from "./connect.js";
export { FluxError, type FluxErrorCode } from "./errors.js";
export { Flux, type RpcOptions } from "./flux.js";
export type { Overflow } from "./protocol/messages.js";
export type { Command, IoObject } from "./protocol/rfc42.js";
export { type SignalName, signalName, signalNumber } from "./protocol/signals.js";
export { Rpc } from "./rpc.js";
export type { Prove } from "./session/lease.js";
export type { RetryOptions } from "./session/retry.js";
export { type ClientSigner, clientSigner } from "./session/signed-calls.js";
export type { Status } from "./session/status.js";
export { curveSigner, noneSigner } from "./signers.js";
export type { CurveSignerOptions } from "./signing/curve.js";
export { keyProof } from "./signing/proof.js";
export type { Signer } from "./signing/signer.js";
export { type AttachOptions, attach } from "./subprocess/attach.js";
export { type CommandOptions, commandCreate } from "./subprocess/command.js";
export type { ProcessEvent } from "./subprocess/events.js";
export { type ExecOptions, exec } from "./subprocess/exec.js";
export type { InputSource } from "./subprocess/input.js";
export { type KillOptions, kill } from "./subprocess/kill.js";
export { type ListResponse, list, Subprocess, SubprocessListRpc } from "./subprocess/list.js";
export { type CompletedProcess, collect } from "./subprocess/operators/collect.js";
export { consume } from "./subprocess/operators/consume.js";
export { lines } from "./subprocess/operators/lines.js";
export { type Failure, orThrow, ProcessError } from "./subprocess/operators/or-throw.js";
export { stderr, stdout, stream } from "./subprocess/operators/stream.js";
export { text } from "./subprocess/operators/text.js";
export { describeOutcome, type Outcome, outcomeOf, succeeded } from "./subprocess/outcome.js";
export { type RexecBgOptions, rexecBg, SubprocessBackgroundRexecRpc } from "./subprocess/rexec-bg.js";
export type { PidOrLabel, RankOptions, ServiceOptions } from "./subprocess/service.js";
export {
  ChildProcess,
  type CommandOutput,
  type CommandStatus,
  type SpawnOptions,
  spawn,
} from "./subprocess/spawn.js";
export type { Target } from "./subprocess/target.js";
export { toReadableStream, values } from "./subprocess/to-readable-stream.js";
export { SubprocessWaitRpc, type WaitResponse, wait } from "./subprocess/wait.js";
export { type ProcessTable, type WatchOptions, watch } from "./subprocess/watch.js";
export { type WriteOptions, write } from "./subprocess/write.js";
