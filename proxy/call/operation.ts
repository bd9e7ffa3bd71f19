/** One operation as it goes on: what it tells of processes is remembered, and what it was is recorded at its end. */
import { errnoOf, type FluxError } from "../../src/errors.js";
import type { Identity } from "../auth/identity.js";
import { AnswerError, type Broker } from "../broker/broker.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import type { Asked, Operation } from "../policy/asked.js";
import type { KnownProcesses, Listed } from "../policy/known.js";
import type { CountedProcess, Usage } from "../usage.js";

/** What an operation came to. */
export interface OperationEnd {
  /** The first error of a rank; 0 if all went well. */
  errno: number;
  durationMs: number;
  bytesIn: number;
  bytesOut: number;
  /** The processes that it started or attached to, in the order of their answers. */
  pids: number[] | undefined;
}

export interface OperationOptions {
  identity: Identity;
  asked: Asked;
  /** The globs of the labels that a list may show. */
  labels: readonly string[] | undefined;
  /** Whether it is certain that the ranks that are asked are those that answer. */
  pinned: boolean;
  known: KnownProcesses;
  usage: Usage;
  /** A process of a rank was started, or has ended, or was told to. */
  touched(rank: number): void;
  /** Takes the record of it, once. */
  record(end: OperationEnd): void;
}

const EPROTO = errnoOf("EPROTO");
/** How a server says that there is no process of that name. */
const NO_SUCH_PROCESS: Partial<Record<Operation, number>> = {
  kill: errnoOf("ESRCH"),
  wait: errnoOf("ESRCH"),
  attach: errnoOf("ENOENT"),
};
const ECONNRESET = errnoOf("ECONNRESET");
const ETIMEDOUT = errnoOf("ETIMEDOUT");
/** What a connection gives that is over, in place of an answer. */
const CONNECTION_OVER: ReadonlySet<number> = new Set([ECONNRESET, errnoOf("ECANCELED")]);

export class OperationWatcher {
  readonly #options: OperationOptions;
  readonly #counted = new Map<number, CountedProcess>();
  readonly #pids = new Map<number, number>();
  /** Where the ranks of a background exec were asked: what was not sent starts nothing. */
  readonly #brokers = new Map<number, Pick<Broker, "released">>();
  readonly #begun = performance.now();
  readonly #asked: number;
  #errno = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #recorded = false;

  constructor(options: OperationOptions) {
    this.#options = options;
    const { asked, identity, usage } = options;
    this.#asked = usage.tick();
    if (asked.operation !== "exec") return;
    for (const rank of asked.ranks) {
      this.#counted.set(rank, usage.add(identity.sub, asked.service, rank, asked));
    }
  }

  /** The request of a rank was sent. */
  issued(rank: number, broker: Pick<Broker, "released">): void {
    if (this.#options.asked.background && !this.#pids.has(rank)) this.#brokers.set(rank, broker);
  }

  /** A response of a rank. @returns what of it is for the client */
  response(rank: number, payload: JsonObject): JsonObject {
    const { asked, touched } = this.#options;
    const { operation } = asked;
    const { pid } = payload;
    if (operation === "list") return this.#listed(rank, payload);
    if (operation === "wait") this.#gone(rank, false);
    const ends = operation === "wait" || operation === "kill" || payload["type"] === "finished";
    if (ends && operation !== "rpc") touched(rank);
    if (Number.isSafeInteger(pid)) {
      if (operation === "exec" && payload["type"] === "started") this.#started(rank, pid as number);
      if (operation === "attach" && payload["type"] === "attached") this.#pids.set(rank, pid as number);
    }
    if (operation === "attach" && payload["type"] === "finished") this.#gone(rank, false);
    return payload;
  }

  /** Bytes of input went to the process. */
  sent(bytes: number): void {
    this.#bytesIn += bytes;
  }

  /** Bytes of output came from a rank. */
  received(bytes: number): void {
    this.#bytesOut += bytes;
  }

  /** A rank has failed. */
  failed(rank: number, error: FluxError): void {
    const { errno } = error;
    this.#errno ||= errno;
    const { asked } = this.#options;
    const isAnswer = error instanceof AnswerError;
    if (asked.background && !this.#pids.has(rank)) {
      if (isAnswer) this.#over(rank);
      // After its deadline the answer may still come: until then the process counts.
      else if (errno !== ETIMEDOUT) this.#unanswered(rank, !CONNECTION_OVER.has(errno));
    }
    if (isAnswer && errno === NO_SUCH_PROCESS[asked.operation]) this.#gone(rank, true);
  }

  /** The broker has ended a rank. */
  ended(rank: number): void {
    const { asked, known, touched } = this.#options;
    if (asked.operation !== "exec") return;
    if (asked.background) {
      // It has answered, and not what its pid is.
      if (!this.#pids.has(rank)) this.#unanswered(rank, true);
      return;
    }
    this.#over(rank);
    const pid = this.#pids.get(rank);
    if (pid === undefined) return;
    known.gone(asked.service, rank, pid);
    touched(rank);
  }

  /** Every rank has ended. */
  over(): void {
    this.#record();
  }

  /** The session has ended before. What ran in the foreground ends with it; what was to run in background may run. */
  abort(): void {
    const { asked, touched } = this.#options;
    for (const rank of [...this.#counted.keys()]) {
      if (!asked.background) this.#over(rank);
      else if (!this.#pids.has(rank)) this.#unanswered(rank, false);
      else continue;
      touched(rank);
    }
    this.#errno ||= ECONNRESET;
    this.#record();
  }

  #started(rank: number, pid: number): void {
    const { asked, known, pinned, usage, touched } = this.#options;
    const { service, label, background } = asked;
    this.#pids.set(rank, pid);
    this.#counted.get(rank)?.started(pid);
    if (pinned) known.started(service, rank, pid, { label, foreground: !background, since: usage.tick() });
    touched(rank);
  }

  #listed(rank: number, payload: JsonObject): JsonObject {
    const { asked, known, labels, pinned, usage } = this.#options;
    const processes = readList(payload);
    if (processes === undefined) {
      if (labels === undefined) return payload;
      // What is not understood cannot be narrowed.
      this.#errno ||= EPROTO;
      return { ...payload, procs: [] };
    }
    if (!pinned) return payload;
    usage.listed(asked.service, rank, processes, this.#asked);
    return { ...payload, procs: known.listed(asked.service, rank, processes, labels, this.#asked) };
  }

  /** The process that was asked for is gone. @param every whether there is none of its name */
  #gone(rank: number, every: boolean): void {
    const { asked, known, pinned, usage } = this.#options;
    const { service, label } = asked;
    const pid = this.#pids.get(rank) ?? asked.pid;
    const name = label === undefined ? { ...(pid === undefined ? {} : { pid }) } : { label };
    // sdexec takes a label twice: that one of them is gone does not say which. Elsewhere there was one of it (RFC 42).
    const isCertain = label === undefined || every || service !== "sdexec";
    if (pinned && isCertain) usage.gone(service, rank, name, this.#asked);
    if (asked.label === undefined && pid !== undefined && !known.isForeground(asked.service, rank, pid)) {
      known.gone(asked.service, rank, pid);
    }
  }

  #over(rank: number): void {
    this.#counted.get(rank)?.over();
    this.#counted.delete(rank);
  }

  /**
   * Nobody will hear whether a process was started: lists can tell, once the broker has read the request.
   * @param read whether it has, as an answer shows
   */
  #unanswered(rank: number, read: boolean): void {
    const counted = this.#counted.get(rank);
    const broker = this.#brokers.get(rank);
    if (broker === undefined) this.#over(rank);
    else if (read) counted?.unanswered();
    else void broker.released().then(() => counted?.unanswered());
    this.#counted.delete(rank);
  }

  #record(): void {
    if (this.#recorded) return;
    this.#recorded = true;
    this.#options.record({
      errno: this.#errno,
      durationMs: Math.round(performance.now() - this.#begun),
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      pids: this.#pids.size === 0 ? undefined : [...this.#pids.values()],
    });
  }
}

/** The processes of an RFC 42 list response; undefined if it is none. */
function readList({ procs }: JsonObject): (Listed & JsonObject)[] | undefined {
  if (!Array.isArray(procs)) return undefined;
  const complete = procs.every(
    (process: unknown) =>
      isJsonObject(process) && typeof process["pid"] === "number" && typeof process["label"] === "string",
  );
  return complete ? (procs as (Listed & JsonObject)[]) : undefined;
}
