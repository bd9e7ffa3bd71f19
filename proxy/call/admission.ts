/**
 * What a client asks for on its way to the broker: read, judged by its token, and made into what may be sent.
 * Nothing of what is refused here reaches the broker.
 */
import { FluxError, type FluxErrorCode } from "../../src/errors.js";
import type { Overflow, Request } from "../../src/protocol/messages.js";
import type { Signer } from "../../src/signing/signer.js";
import type { AuditSession } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { Permissions } from "../auth/permissions.js";
import type { JsonObject } from "../broker/payload.js";
import type { Budget } from "../flow/budget.js";
import { type Asked, isSigned, readRequest } from "../policy/asked.js";
import { KnownProcesses } from "../policy/known.js";
import { forbid, judge, type Known, mayOverflow, mayWrite, type Verdict } from "../policy/policy.js";
import { unbufferedOption } from "../policy/unbuffered.js";
import type { Usage } from "../usage.js";
import { OperationWatcher } from "./operation.js";
import { allRanks, idsetOf, type Target } from "./target.js";
import { type AdmittedWatch, readInterval } from "./watch-admission.js";

/** How many ranks the watches of a session may have together. */
const MAX_WATCHED = 16_384;

/** A request that may be sent. */
export interface Admitted {
  /** Of its ranks those that exist. */
  readonly asked: Asked;
  /** The ranks that it names. */
  readonly target: Target;
  /** What is sent, or signed and sent. */
  readonly payload: JsonObject;
  /** Whether "any" must be the rank that the decision was made for. */
  readonly pinned: boolean;
  /** Who signs the request and its input; undefined if nobody does here. */
  readonly signer: Signer | undefined;
  /** What becomes of a process whose output is not taken. */
  readonly overflow: Overflow;
  /** Why it takes no input. */
  readonly inputRefusal: string | undefined;
  readonly watcher: OperationWatcher;
}

export interface AdmissionOptions {
  /** Signs for the user that the proxy runs as. */
  signer: Signer | undefined;
  /** How many ranks may be open. Those of what is admitted are taken from it. */
  allowance: { readonly ranks: Pick<Budget, "take"> };
  /** Shared by all sessions. */
  usage: Usage;
  /** Is told where a process was started or has ended. */
  polls: { touched(service: string, rank: number): void };
  audit: AuditSession | undefined;
  /** Whether a background process may write output that is not cut into lines. */
  allowUnbufferedBackground?: boolean | undefined;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #known = new KnownProcesses();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Decides on a request. @returns what may be sent, or EPERM or ENOBUFS with the reason why nothing may */
  admit(identity: Identity, request: Request, target: Target): Admitted | FluxError {
    const { permissions, userid } = identity;
    const asked: Wanted = { ...readRequest(request, judgedRanks(permissions, target)), target };
    const known = this.#knownTo(identity);
    const verdict = judge(permissions, asked, known);
    if (!verdict.allowed) return this.#refuse(asked, verdict.reason);
    if (asked.emptyLabel) return this.#refuse(asked, "label is empty", "EINVAL");
    const hazard = this.#hazard(request, asked);
    if (hazard !== undefined) return this.#refuse(asked, hazard);
    const overflow = mayOverflow(permissions, asked, known, request.overflow);
    if (!overflow.allowed) return this.#refuse(asked, overflow.reason);
    const sign = request.sign === true && !isSigned(request.payload);
    const obstacle = sign ? this.#cannotSign(userid) : undefined;
    if (obstacle !== undefined) return this.#refuse(asked, obstacle);
    return this.#admitted(identity, request, asked, verdict, sign);
  }

  /**
   * Decides on a watch, but for its ranks.
   * @param watched how many ranks other watches of the session have
   * @returns the admitted watch, or the error that refuses it
   */
  admitWatch(
    { userid, permissions }: Identity,
    request: Request,
    target: Target,
    watched: number,
  ): AdmittedWatch | FluxError {
    const { audit } = this.#options;
    const asked: Wanted = { ...readRequest(request, judgedRanks(permissions, target)), target };
    const { service, signer: signing } = asked;
    const { ranks } = target;
    if (asked.forbidden !== undefined) return this.#refuse(asked, forbid("watch", asked.forbidden).reason);
    const proxySigns = request.sign === true && signing === undefined;
    const obstacle = proxySigns ? this.#cannotSign(userid) : undefined;
    if (obstacle !== undefined) return this.#refuse(asked, obstacle);
    const interval = readInterval(request.payload);
    if (interval === undefined) return new FluxError("EINVAL", "interval is not a positive integer");
    const full =
      watched + ranks.length > MAX_WATCHED
        ? `a session may watch ${MAX_WATCHED} ranks`
        : this.#options.allowance.ranks.take(ranks.length);
    if (full !== undefined) return this.#refuse(asked, full, "ENOBUFS");
    const begun = performance.now();
    return {
      service,
      target,
      interval,
      signer: proxySigns ? this.#options.signer : undefined,
      signed:
        signing === undefined ? undefined : { userid: signing, signature: request.payload["signature"] },
      judge: (identity, judged) =>
        judge(identity.permissions, { ...asked, ranks: judged }, this.#knownTo(identity)),
      pinned: ({ permissions }) => isPinned(permissions, request, asked),
      shown: (rank, rows, labels, time) => this.#known.listed(service, rank, rows, labels, time),
      refused: (denied, error) =>
        this.#refused({ ...asked, target: { ranks: denied, missing: [], size: denied.length } }, error),
      over: (errno) => {
        const durationMs = Math.round(performance.now() - begun);
        audit?.operation({ ...describe(asked), allowed: true, errno, durationMs });
      },
    };
  }

  /** Why an exec may not be given input; undefined if it may. */
  inputRefusal({ permissions }: Identity, asked: Asked): string | undefined {
    if (asked.operation !== "exec" || asked.background) return undefined;
    const verdict = mayWrite(permissions, asked);
    return verdict.allowed ? undefined : verdict.reason;
  }

  #admitted(
    identity: Identity,
    request: Request,
    asked: Wanted,
    verdict: Verdict & { allowed: true },
    sign: boolean,
  ): Admitted | FluxError {
    const { usage, signer, audit, polls, allowance } = this.#options;
    const { target } = asked;
    const full = allowance.ranks.take(target.ranks.length);
    if (full !== undefined) return this.#refuse(asked, full, "ENOBUFS");
    const existing = { ...asked, ranks: target.ranks };
    const pinned = identity.permissions.details !== undefined;
    const inputRefusal = this.inputRefusal(identity, asked);
    return {
      asked: existing,
      target,
      payload: payloadOf(request, asked, verdict.label),
      pinned,
      signer: sign ? signer : undefined,
      overflow: request.overflow ?? (asked.operation === "attach" ? "gap" : "stop"),
      inputRefusal,
      watcher: new OperationWatcher({
        identity,
        asked: existing,
        labels: verdict.labels,
        pinned: isPinned(identity.permissions, request, asked),
        known: this.#known,
        usage,
        touched: (rank) => polls.touched(asked.service, rank),
        record: (end) => audit?.operation({ ...describe(asked), allowed: true, ...end }),
      }),
    };
  }

  /** What a request would do to a broker of flux-core 0.88, if it would end it. */
  #hazard(request: Request, asked: Asked): string | undefined {
    if (this.#options.allowUnbufferedBackground) return undefined;
    const option = unbufferedOption(request, asked);
    return (
      option && `the proxy cannot start a background process with ${option} "false": it can end the broker`
    );
  }

  #cannotSign(userid: number): string | undefined {
    const { signer } = this.#options;
    if (signer === undefined) return "the proxy cannot sign: it has no signer";
    return signer.userid === userid ? undefined : `the proxy cannot sign for user ${userid}`;
  }

  #knownTo({ userid, sub }: Identity): Known {
    return {
      userid,
      processes: this.#options.usage.count(sub),
      isForeground: (...process) => this.#known.isForeground(...process),
      labelOf: (...process) => this.#known.labelOf(...process),
    };
  }

  #refuse(asked: Wanted, reason: string, code: FluxErrorCode = "EPERM"): FluxError {
    const error = new FluxError(code, reason);
    this.#refused(asked, error);
    return error;
  }

  #refused(asked: Wanted, { message: reason, errno }: FluxError): void {
    this.#options.audit?.operation({ ...describe(asked), allowed: false, reason, errno });
  }
}

/** A request as it is judged, and the ranks that it names. */
interface Wanted extends Asked {
  readonly target: Target;
}

/** The ranks that a decision depends on: where the token limits nothing, none that does not exist. */
function judgedRanks({ details }: Permissions, target: Target): readonly number[] {
  return details === undefined ? target.ranks : allRanks(target);
}

/** Whether it is certain that the ranks that are asked are those that answer. */
function isPinned({ details }: Permissions, { nodeid }: Request, { service }: Asked): boolean {
  // A service that a broker does not have is looked for upstream of it; "rexec" every one has.
  return details !== undefined || nodeid !== "any" || service === "rexec";
}

function payloadOf({ payload }: Request, { operation }: Asked, label: string | undefined): JsonObject {
  // The server takes nothing from what stands beside a signature; neither is it passed on.
  if (operation !== "rpc" && isSigned(payload)) return { signature: payload["signature"] };
  return label === undefined ? payload : { ...payload, pid: -1, label };
}

function describe({ operation, topic, service, target, pid, label, argv, cwd }: Wanted) {
  return {
    operation,
    service,
    topic: operation === "rpc" ? topic : undefined,
    ranks: idsetOf(target),
    pid: label === undefined ? pid : undefined,
    label,
    argv,
    cwd,
  };
}
