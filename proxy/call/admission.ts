/**
 * What a client asks for on its way to the broker: read, judged by its token, and made into what may be sent.
 * Nothing of what is refused here reaches the broker.
 */
import { FluxError } from "../../src/errors.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import type { Overflow, Request } from "../../src/protocol/messages.js";
import type { Signer } from "../../src/signing/signer.js";
import type { AuditSession } from "../audit.js";
import type { Identity } from "../auth/identity.js";
import type { Permissions } from "../auth/permissions.js";
import type { JsonObject } from "../broker/payload.js";
import { type Asked, isSigned, readRequest } from "../policy/asked.js";
import { KnownProcesses } from "../policy/known.js";
import { deny, judge, type Known, mayOverflow, mayWrite, type Verdict } from "../policy/policy.js";
import type { Usage } from "../usage.js";
import { OperationWatcher } from "./operation.js";
import { type AdmittedWatch, readInterval } from "./watch-admission.js";

/** A request that may be sent. */
export interface Admitted {
  readonly asked: Asked;
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
  /** Shared by all sessions. */
  usage: Usage;
  /** Is told where a process was started or has ended. */
  polls: { touched(service: string, rank: number): void };
  audit: AuditSession | undefined;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #known = new KnownProcesses();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Decides on a request. @returns what may be sent, or EPERM with the reason why nothing may */
  admit(identity: Identity, request: Request, ranks: readonly number[]): Admitted | FluxError {
    const { permissions, userid } = identity;
    const asked = readRequest(request, ranks);
    const known = this.#knownTo(identity);
    const verdict = judge(permissions, asked, known);
    if (!verdict.allowed) return this.#refuse(asked, verdict.reason);
    const overflow = mayOverflow(permissions, asked, known, request.overflow);
    if (!overflow.allowed) return this.#refuse(asked, overflow.reason);
    const sign = request.sign === true && !isSigned(request.payload);
    const obstacle = sign ? this.#cannotSign(userid) : undefined;
    if (obstacle !== undefined) return this.#refuse(asked, obstacle);
    return this.#admitted(identity, request, asked, verdict, sign);
  }

  /** Decides on a watch, but for its ranks. @returns what decides on those, or why there is none */
  admitWatch({ userid }: Identity, request: Request, ranks: readonly number[]): AdmittedWatch | FluxError {
    const { audit } = this.#options;
    const asked = readRequest(request, ranks);
    const { service, signer: signing } = asked;
    if (asked.unreadable !== undefined) return this.#refuse(asked, deny("watch", asked.unreadable).reason);
    const signer = request.sign === true && signing === undefined ? this.#options.signer : undefined;
    const obstacle = request.sign === true && signing === undefined ? this.#cannotSign(userid) : undefined;
    if (obstacle !== undefined) return this.#refuse(asked, obstacle);
    const interval = readInterval(request.payload);
    if (interval === undefined) return new FluxError("EINVAL", "interval is not a positive integer");
    const begun = performance.now();
    return {
      service,
      ranks,
      interval,
      signer,
      signed:
        signing === undefined ? undefined : { userid: signing, signature: request.payload["signature"] },
      judge: (identity, rank) =>
        judge(identity.permissions, { ...asked, ranks: [rank] }, this.#knownTo(identity)),
      pinned: ({ permissions }) => isPinned(permissions, request, asked),
      shown: (rank, rows, labels, time) => this.#known.listed(service, rank, rows, labels, time),
      refused: (denied, error) => this.#refused({ ...asked, ranks: denied }, error),
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
    asked: Asked,
    verdict: Verdict & { allowed: true },
    sign: boolean,
  ): Admitted {
    const { usage, signer, audit, polls } = this.#options;
    const pinned = identity.permissions.details !== undefined;
    const inputRefusal = this.inputRefusal(identity, asked);
    return {
      asked,
      payload: payloadOf(request, asked, verdict.label),
      pinned,
      signer: sign ? signer : undefined,
      overflow: request.overflow ?? (asked.operation === "attach" ? "gap" : "stop"),
      inputRefusal,
      watcher: new OperationWatcher({
        identity,
        asked,
        labels: verdict.labels,
        pinned: isPinned(identity.permissions, request, asked),
        known: this.#known,
        usage,
        touched: (rank) => polls.touched(asked.service, rank),
        record: (end) => audit?.operation({ ...describe(asked), allowed: true, ...end }),
      }),
    };
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

  #refuse(asked: Asked, reason: string): FluxError {
    const error = new FluxError("EPERM", reason);
    this.#refused(asked, error);
    return error;
  }

  #refused(asked: Asked, { message: reason, errno }: FluxError): void {
    this.#options.audit?.operation({ ...describe(asked), allowed: false, reason, errno });
  }
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

function describe({ operation, service, ranks, pid, label, argv }: Asked) {
  return {
    operation,
    service,
    ranks: encodeIdset(ranks),
    pid: label === undefined ? pid : undefined,
    label,
    argv,
  };
}
