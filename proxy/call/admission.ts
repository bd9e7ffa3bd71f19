/**
 * The admission of a client's request: it is read, judged by the token, and turned into the request that the broker is sent. The
 * broker hears nothing of a request that is refused here.
 */
import { FluxError, type FluxErrorCode } from "../../src/errors.js";
import type { Overflow, Request } from "../../src/protocol/messages.js";
import type { Signer } from "../../src/signing/signer.js";
import type { AuditSession } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { Permissions } from "../auth/permissions.js";
import type { JsonObject } from "../broker/payload.js";
import type { Budget } from "../flow/budget.js";
import { isAnyService, isSigned, type ParsedRequest, parseRequest } from "../policy/parsed-request.js";
import { forbid, judge, mayOverflow, mayWrite, type PolicyContext, type Verdict } from "../policy/policy.js";
import { SessionProcesses } from "../policy/session-processes.js";
import { unbufferedOption } from "../policy/unbuffered.js";
import type { Usage } from "../usage.js";
import type { AdmittedEvents } from "./events-admission.js";
import { OperationMonitor } from "./operation-monitor.js";
import { idsetOf, type Target } from "./target.js";
import { type AdmittedWatch, readInterval } from "./watch-admission.js";

/** The most ranks that the watches of a session may have together. */
const MAX_WATCHED = 16_384;

/** A request that may be sent. */
export interface AdmittedRequest {
  /** Its ranks are those that exist. */
  readonly parsed: ParsedRequest;
  /** The ranks that the request names. */
  readonly target: Target;
  /** The payload that is sent, or signed and sent. */
  readonly payload: JsonObject;
  /** True if the broker is sent "any" as a number, because the token was judged for that rank. */
  readonly addressesRank: boolean;
  /** Signs the request and its input; undefined if the proxy signs neither. */
  readonly signer: Signer | undefined;
  /** The treatment of a process whose output is not consumed. */
  readonly overflow: Overflow;
  /** The reason why the request takes no input; undefined if it may. */
  readonly inputRefusal: string | undefined;
  readonly monitor: OperationMonitor;
}

/** The parts of a session and of the proxy that decide on a request, or hear of it. */
export interface AdmissionOptions {
  /** Signs for the user that the proxy runs as; absent if the proxy cannot sign. */
  signer?: Signer | undefined;
  /** The ranks that may be open. An admitted request takes its ranks from it. */
  allowance: { readonly ranks: Pick<Budget, "take"> };
  /** Shared by all sessions. */
  usage: Usage;
  /** Hears of ranks where a process was started or has ended. */
  polls: { touched(service: string, rank: number): void };
  audit: AuditSession | undefined;
  /** True if a background process may write output that is not cut into lines. @default false */
  allowUnbufferedBackground?: boolean | undefined;
}

/** Decides on the requests of one session. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #processes = new SessionProcesses();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Decides on a request. @returns the request that may be sent, or EPERM, EINVAL or ENOBUFS with the reason of the refusal */
  admit(identity: Identity, request: Request, target: Target): AdmittedRequest | FluxError {
    const { permissions, userid } = identity;
    const parsed = targetedRequest(permissions, request, target);
    const context = this.#context(identity);
    const verdict = judge(permissions, parsed, context);
    if (!verdict.allowed) return this.#refuse(parsed, verdict.reason);
    if (parsed.emptyLabel) return this.#refuse(parsed, "label is empty", "EINVAL");
    const hazard = this.#hazard(request, parsed);
    if (hazard !== undefined) return this.#refuse(parsed, hazard);
    const overflow = mayOverflow(permissions, parsed, context, request.overflow);
    if (!overflow.allowed) return this.#refuse(parsed, overflow.reason);
    const sign = request.sign === true && !isSigned(request.payload);
    const obstacle = sign ? this.#cannotSign(userid) : undefined;
    if (obstacle !== undefined) return this.#refuse(parsed, obstacle);
    const signer = sign ? this.#options.signer : undefined;
    return this.#admitted(identity, request, parsed, verdict, signer);
  }

  /**
   * Decides on a watch, but for its ranks.
   * @param watched the number of ranks of the session's other watches
   * @returns the admitted watch, or the error that refuses it
   */
  admitWatch(
    { userid, permissions }: Identity,
    request: Request,
    target: Target,
    watched: number,
  ): AdmittedWatch | FluxError {
    const parsed = targetedRequest(permissions, request, target);
    const proxySigns = request.sign === true && parsed.signer === undefined;
    if (parsed.forbidden !== undefined) return this.#refuse(parsed, forbid("watch", parsed.forbidden).reason);
    const obstacle = proxySigns ? this.#cannotSign(userid) : undefined;
    if (obstacle !== undefined) return this.#refuse(parsed, obstacle);
    const interval = readInterval(request.payload);
    if (interval === undefined) return new FluxError("EINVAL", "interval is not a positive integer");
    const { length } = target.ranks;
    const full =
      watched + length > MAX_WATCHED
        ? `a session may watch ${MAX_WATCHED} ranks`
        : this.#options.allowance.ranks.take(length);
    if (full !== undefined) return this.#refuse(parsed, full, "ENOBUFS");
    return this.#admittedWatch(request, parsed, interval, proxySigns ? this.#options.signer : undefined);
  }

  /** Decides on a subscription to events. @returns the admitted subscription, or the error that refuses it */
  admitEvents(identity: Identity, request: Request, target: Target): AdmittedEvents | FluxError {
    const { allowance, audit } = this.#options;
    const parsed = targetedRequest(identity.permissions, request, target);
    const verdict = judge(identity.permissions, parsed, this.#context(identity));
    if (!verdict.allowed) return this.#refuse(parsed, verdict.reason);
    const [rank] = target.ranks;
    if (request.nodeid !== "any" || rank === undefined) {
      return this.#refuse(parsed, 'events come from the proxy\'s broker: nodeid must be "any"', "EINVAL");
    }
    const full = allowance.ranks.take(1);
    if (full !== undefined) return this.#refuse(parsed, full, "ENOBUFS");
    const beganAt = performance.now();
    return {
      prefix: parsed.prefix as string,
      rank,
      judge: (next) => this.judgeAgain(next, parsed, target),
      over: (errno) => {
        const durationMs = Math.round(performance.now() - beganAt);
        audit?.operation({ ...describe(parsed), allowed: true, errno, durationMs });
      },
    };
  }

  /** The reason why an exec may not be given input; undefined if it may, and for any other request. */
  inputRefusal({ permissions }: Identity, parsed: ParsedRequest): string | undefined {
    if (parsed.operation !== "exec" || parsed.background) return undefined;
    const verdict = mayWrite(permissions, parsed);
    return verdict.allowed ? undefined : verdict.reason;
  }

  /**
   * Decides again, after a renewal, on a request whose answers go on.
   * @returns the refusal; undefined if the new token allows the request
   */
  judgeAgain(identity: Identity, parsed: ParsedRequest, target: Target): FluxError | undefined {
    const verdict = judge(identity.permissions, parsed, this.#context(identity));
    return verdict.allowed ? undefined : this.#refuse({ ...parsed, target }, verdict.reason);
  }

  #admitted(
    identity: Identity,
    request: Request,
    parsed: TargetedRequest,
    verdict: Verdict & { allowed: true },
    signer: Signer | undefined,
  ): AdmittedRequest | FluxError {
    const { usage, audit, polls, allowance } = this.#options;
    const { target } = parsed;
    const full = allowance.ranks.take(target.ranks.length);
    if (full !== undefined) return this.#refuse(parsed, full, "ENOBUFS");
    const existing = { ...parsed, missing: [] };
    return {
      parsed: existing,
      target,
      payload: payloadOf(request, parsed, verdict.label),
      addressesRank: identity.permissions.details !== undefined,
      signer,
      overflow: request.overflow ?? (parsed.operation === "attach" ? "gap" : "stop"),
      inputRefusal: this.inputRefusal(identity, parsed),
      monitor: new OperationMonitor({
        identity,
        parsed: existing,
        labels: verdict.labels,
        answererCertain: isAnswererCertain(identity.permissions, request, parsed),
        processes: this.#processes,
        usage,
        touched: (rank) => polls.touched(parsed.service, rank),
        record: (end) => audit?.operation({ ...describe(parsed), allowed: true, ...end }),
      }),
    };
  }

  #admittedWatch(
    request: Request,
    parsed: TargetedRequest,
    interval: number,
    signer: Signer | undefined,
  ): AdmittedWatch {
    const { service, signer: userid, target } = parsed;
    const beganAt = performance.now();
    return {
      service,
      target,
      interval,
      signer,
      signed: userid === undefined ? undefined : { userid, signature: request.payload["signature"] },
      judge: (identity, { ranks, missing }) =>
        judge(identity.permissions, { ...parsed, ranks, missing }, this.#context(identity)),
      answererCertain: ({ permissions }) => isAnswererCertain(permissions, request, parsed),
      shown: (rank, rows, labels, requestedAt) =>
        this.#processes.listed(service, rank, rows, labels, requestedAt),
      refused: (target, error) => this.#recordRefusal({ ...parsed, target: { ...target, size: 0 } }, error),
      over: (errno) => {
        const durationMs = Math.round(performance.now() - beganAt);
        this.#options.audit?.operation({ ...describe(parsed), allowed: true, errno, durationMs });
      },
    };
  }

  /** The reason why a request is refused that would end a broker of flux-core 0.88; undefined for any other. */
  #hazard(request: Request, parsed: ParsedRequest): string | undefined {
    if (this.#options.allowUnbufferedBackground) return undefined;
    const option = unbufferedOption(request, parsed);
    return (
      option && `the proxy cannot start a background process with ${option} "false": it can end the broker`
    );
  }

  #cannotSign(userid: number): string | undefined {
    const { signer } = this.#options;
    if (signer === undefined) return "the proxy cannot sign: it has no signer";
    return signer.userid === userid ? undefined : `the proxy cannot sign for user ${userid}`;
  }

  #context({ userid, sub }: Identity): PolicyContext {
    return {
      userid,
      processCount: this.#options.usage.count(sub),
      isForeground: (...process) => this.#processes.isForeground(...process),
      labelOf: (...process) => this.#processes.labelOf(...process),
    };
  }

  #refuse(parsed: TargetedRequest, reason: string, code: FluxErrorCode = "EPERM"): FluxError {
    const error = new FluxError(code, reason);
    this.#recordRefusal(parsed, error);
    return error;
  }

  #recordRefusal(parsed: TargetedRequest, { message: reason, errno }: FluxError): void {
    this.#options.audit?.operation({ ...describe(parsed), allowed: false, reason, errno });
  }
}

/** A parsed request with the ranks that it names. */
interface TargetedRequest extends ParsedRequest {
  readonly target: Target;
}

/** The request as it is judged. */
function targetedRequest({ details }: Permissions, request: Request, target: Target): TargetedRequest {
  return { ...parseRequest(request, target.ranks, details === undefined ? [] : target.missing), target };
}

/** True if the rank that answers is the one that the request names: the broker cannot reroute the request. */
function isAnswererCertain(
  { details }: Permissions,
  { nodeid }: Request,
  { service }: ParsedRequest,
): boolean {
  // Details make the proxy address "any" by number. A broker passes "any" upstream if it lacks the service; every broker has "rexec".
  return details !== undefined || nodeid !== "any" || service === "rexec";
}

function payloadOf(
  { payload }: Request,
  { operation }: ParsedRequest,
  label: string | undefined,
): JsonObject {
  // The server ignores the fields beside a signature, so the proxy drops them.
  if (!isAnyService(operation) && isSigned(payload)) return { signature: payload["signature"] };
  return label === undefined ? payload : { ...payload, pid: -1, label };
}

function describe({ operation, topic, service, target, pid, label, argv, cwd, prefix }: TargetedRequest) {
  return {
    operation,
    service,
    topic: isAnyService(operation) ? topic : undefined,
    prefix,
    ranks: idsetOf(target),
    pid: label === undefined ? pid : undefined,
    label,
    argv,
    cwd,
  };
}
