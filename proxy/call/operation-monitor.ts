/** Follows one operation through its answers: for the audit, the quota, the session's knowledge of processes, and redaction. */
import { errnoOf, type FluxError } from "../../src/errors.js";
import type { Identity } from "../auth/identity.js";
import { AnswerError } from "../broker/broker.js";
import type { JsonObject } from "../broker/payload.js";
import { ListRedaction } from "../policy/list-redaction.js";
import type { Operation, ParsedRequest } from "../policy/parsed-request.js";
import type { SessionProcesses } from "../policy/session-processes.js";
import type { Usage } from "../usage.js";
import { OperationAudit, type OperationEnd } from "./operation-audit.js";
import { ProcessEvidence } from "./process-evidence.js";
import { type StartConnection, StartQuota } from "./start-quota.js";

/** The operation, and the places that hear of it. */
export interface OperationMonitorOptions {
  identity: Identity;
  parsed: ParsedRequest;
  /** Globs of the labels that a list may show; undefined if it may show all. */
  labels: readonly string[] | undefined;
  /** True if the rank that answers is the one that the request names: the broker cannot reroute the request. */
  answererCertain: boolean;
  processes: SessionProcesses;
  usage: Usage;
  /** A process of a rank was started, has ended, or was sent a signal. */
  touched(rank: number): void;
  /** Writes the audit record, once. */
  record(end: OperationEnd): void;
}

const EPROTO = errnoOf("EPROTO");
const ECONNRESET = errnoOf("ECONNRESET");
const ETIMEDOUT = errnoOf("ETIMEDOUT");

/** The errors by which a server says that no process has the name of the request. */
const NO_SUCH_PROCESS: Partial<Record<Operation, number>> = {
  kill: errnoOf("ESRCH"),
  wait: errnoOf("ESRCH"),
  attach: errnoOf("ENOENT"),
};

/** The errors of a connection that is over, which are no answers. */
const CONNECTION_OVER: ReadonlySet<number> = new Set([ECONNRESET, errnoOf("ECANCELED")]);

/** The meaning of an answer for its process. */
type Effect = "started" | "attached" | "touched" | "ended";

const ANY = Symbol("any type of answer");

/** The effects of answers, by their RFC 42 `type`. Any other answer has none. */
const EFFECTS: Partial<Record<Operation, ReadonlyMap<unknown, Effect>>> = {
  exec: new Map([
    ["started", "started"],
    ["finished", "touched"],
  ]),
  attach: new Map([
    ["attached", "attached"],
    ["finished", "ended"],
  ]),
  kill: new Map([[ANY, "touched"]]),
  wait: new Map([[ANY, "ended"]]),
};

/** The monitor of one operation. */
export class OperationMonitor {
  readonly #options: OperationMonitorOptions;
  readonly #audit: OperationAudit;
  readonly #evidence: ProcessEvidence;
  readonly #redaction: ListRedaction;
  /** Undefined unless the operation is an exec. */
  readonly #quota: StartQuota | undefined;
  /** By rank, the pids in the order of their answers. */
  readonly #pids = new Map<number, number>();

  /** @throws Error if labels limit a list that another rank may answer */
  constructor(options: OperationMonitorOptions) {
    this.#options = options;
    const { parsed, identity, usage, labels, answererCertain } = options;
    this.#redaction = new ListRedaction(labels, answererCertain);
    this.#audit = new OperationAudit(options.record);
    this.#evidence = new ProcessEvidence(options);
    if (parsed.operation === "exec") this.#quota = new StartQuota(usage, identity.sub, parsed);
  }

  /** The request of a rank was sent. */
  issued(rank: number, connection: StartConnection): void {
    if (this.#options.parsed.background && !this.#pids.has(rank)) this.#quota?.sent(rank, connection);
  }

  /** A rank has answered. @returns the part of the answer that the client may see */
  response(rank: number, payload: JsonObject): JsonObject {
    const { parsed, touched } = this.#options;
    if (parsed.operation === "list") return this.#listed(rank, payload);
    const effects = EFFECTS[parsed.operation];
    const effect = effects?.get(payload["type"]) ?? effects?.get(ANY);
    const pid = Number.isSafeInteger(payload["pid"]) ? (payload["pid"] as number) : undefined;
    if (effect === "started" && pid !== undefined) this.#started(rank, pid);
    if (effect === "attached" && pid !== undefined) this.#pids.set(rank, pid);
    if (effect === "ended") this.#evidence.namedProcessEnded(rank, this.#pids.get(rank));
    if (effect === "ended" || effect === "touched") touched(rank);
    return payload;
  }

  /** The process was sent input. */
  sent(bytes: number): void {
    this.#audit.addInput(bytes);
  }

  /** A process wrote output. */
  received(bytes: number): void {
    this.#audit.addOutput(bytes);
  }

  /** A rank has failed. */
  failed(rank: number, error: FluxError): void {
    const { errno } = error;
    this.#audit.addError(errno);
    const { operation, background } = this.#options.parsed;
    const isAnswer = error instanceof AnswerError;
    if (background && !this.#pids.has(rank)) {
      if (isAnswer) this.#quota?.over(rank);
      else if (CONNECTION_OVER.has(errno)) this.#quota?.unanswered(rank);
      // After the deadline the answer may still come; until then the process counts.
      else if (errno !== ETIMEDOUT) this.#quota?.unansweredButRead(rank);
    }
    if (isAnswer && errno === NO_SUCH_PROCESS[operation]) {
      this.#evidence.noSuchProcess(rank, this.#pids.get(rank));
    }
  }

  /** The broker has ended a rank. */
  ended(rank: number): void {
    const { parsed, touched } = this.#options;
    if (parsed.operation !== "exec") return;
    const pid = this.#pids.get(rank);
    if (parsed.background) {
      // The answer had no pid.
      if (pid === undefined) this.#quota?.unansweredButRead(rank);
      return;
    }
    this.#quota?.over(rank);
    if (pid === undefined) return;
    this.#evidence.ended(rank, pid);
    touched(rank);
  }

  /** Every rank has ended. */
  over(): void {
    this.#audit.end(this.#pids.values());
  }

  /** The session has ended first. Its processes in the foreground end with it; a background process may have started. */
  abort(): void {
    const { parsed, touched } = this.#options;
    for (const rank of this.#quota?.ranks ?? []) {
      if (!parsed.background) this.#quota?.over(rank);
      else if (!this.#pids.has(rank)) this.#quota?.unanswered(rank);
      else continue;
      touched(rank);
    }
    this.#audit.addError(ECONNRESET);
    this.over();
  }

  #started(rank: number, pid: number): void {
    this.#pids.set(rank, pid);
    this.#quota?.started(rank, pid);
    this.#evidence.started(rank, pid);
    this.#options.touched(rank);
  }

  #listed(rank: number, payload: JsonObject): JsonObject {
    const redacted = this.#redaction.redact(payload, (rows, labels) =>
      this.#evidence.listed(rank, rows, labels),
    );
    if (redacted.withheld) this.#audit.addError(EPROTO);
    return redacted.payload;
  }
}
