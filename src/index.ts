/**
 * The client of flux-subprocess: Flux's subprocess API (RFC 42) as RxJS observables.
 *
 * The examples of this reference are complete but for four constants: `flux` is the handle that {@link connect} returns; `url` and
 * `token` are its arguments; `userid` is the Flux user's, and `service` the name of a job shell's subprocess service. They import names
 * of this package and of RxJS. A comment at `console.log` shows what it prints. A test compiles and runs them all.
 *
 * @module flux-subprocess
 */
export { type ConnectOptions, connect, type Token } from "./connect.js";
export { FluxError, type FluxErrorCode, type FluxErrorOptions } from "./errors.js";
export { Flux, type FluxEvent } from "./flux.js";
export { f58, type JobId } from "./job/id.js";
export { Job, type JobOptions, type JobService, type JobTarget, job } from "./job/job.js";
export type { Overflow } from "./protocol/messages.js";
export type { Command, IoObject } from "./protocol/rfc42.js";
export { type SignalName, signalName, signalNumber } from "./protocol/signals.js";
export type { ListedProcess } from "./protocol/watch.js";
export { type FailedRank, RankError } from "./rank-error.js";
export { type RankResult, RanksRpc, type SettledRanks } from "./ranks-rpc.js";
export type { RpcOptions, StreamOptions } from "./request.js";
export { Rpc } from "./rpc.js";
export type { RetryOptions } from "./session/retry.js";
export type { Prove } from "./session/session-token.js";
export { type ClientSigner, clientSigner } from "./session/signed-calls.js";
export type { Status } from "./session/status.js";
export { curveSigner, noneSigner } from "./signers.js";
export type { CurveSignerOptions } from "./signing/curve.js";
export type { CurveCertificate } from "./signing/curve-certificate.js";
export type { CurveJwk, CurveKey, WebCryptoKey, WebCryptoKeyPair } from "./signing/curve-key.js";
export type { KvMap, KvType, KvTypes, KvValue } from "./signing/kv.js";
export { keyProof } from "./signing/proof.js";
export type { Signer } from "./signing/signer.js";
export { type AttachOptions, attach } from "./subprocess/attach.js";
export type { Bytes } from "./subprocess/bytes.js";
export { type CommandOptions, commandCreate } from "./subprocess/command.js";
export type {
  AttachedEvent,
  EofEvent,
  FailedEvent,
  FinishedEvent,
  GapEvent,
  OneRankEvent,
  OutputEvent,
  ProcessEvent,
  RankEvent,
  ResponsivenessEvent,
  StartedEvent,
  StoppedEvent,
} from "./subprocess/events.js";
export { type ExecOptions, exec } from "./subprocess/exec.js";
export { type ExecBgOptions, execBg } from "./subprocess/exec-bg.js";
export type { ForegroundOptions } from "./subprocess/foreground.js";
export { type HostsOptions, hosts } from "./subprocess/hosts.js";
export type { Chunk, InputSource } from "./subprocess/input.js";
export { type KillOptions, kill } from "./subprocess/kill.js";
export type { LaunchOptions } from "./subprocess/launch.js";
export {
  type ListResponse,
  list,
  Subprocess,
  SubprocessListRanksRpc,
  SubprocessListRpc,
} from "./subprocess/list.js";
export { byRank } from "./subprocess/operators/by-rank.js";
export {
  type Collect,
  type CollectOptions,
  type CompletedProcess,
  collect,
} from "./subprocess/operators/collect.js";
export { consume } from "./subprocess/operators/consume.js";
export type { Origin } from "./subprocess/operators/decode.js";
export { lines, type RankLine } from "./subprocess/operators/lines.js";
export { type Failure, orThrow, ProcessError } from "./subprocess/operators/or-throw.js";
export type { RankErrorOption } from "./subprocess/operators/rank-failures.js";
export { stderr, stdout, stream } from "./subprocess/operators/stream.js";
export { type RankText, text } from "./subprocess/operators/text.js";
export { describeOutcome, type Outcome, outcomeOf, succeeded } from "./subprocess/outcome.js";
export type {
  PidOrLabel,
  PidRef,
  ProcessOptions,
  ProcessPlace,
  ProcessRef,
} from "./subprocess/process-ref.js";
export {
  type RexecBgOptions,
  rexecBg,
  SubprocessBackgroundRexecRpc,
} from "./subprocess/rexec-bg.js";
export type { RankOptions, ServiceOptions } from "./subprocess/service.js";
export { type ShellValue, sh } from "./subprocess/sh.js";
export {
  ChildProcess,
  type CommandOutput,
  type CommandStatus,
  type OutputOptions,
  type SpawnOptions,
  spawn,
} from "./subprocess/spawn.js";
export type { ByTarget, Target } from "./subprocess/target.js";
export { toReadableStream, values } from "./subprocess/to-readable-stream.js";
export {
  SubprocessWaitRpc,
  type WaitOptions,
  type WaitResponse,
  type WaitResult,
  wait,
} from "./subprocess/wait.js";
export { type ProcessTable, type WatchOptions, watch } from "./subprocess/watch.js";
export { type WriteOptions, write } from "./subprocess/write.js";
