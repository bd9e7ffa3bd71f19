/** One operation as it goes on: what it tells of processes is remembered, and what it was is recorded at its end. */
import { errnoOf, type FluxError } from "../../src/errors.js";
import type { Identity } from "../auth/identity.js";
import { isJsonObject, type JsonObject } from "../broker/payload.js";
import type { Asked, Operation } from "../policy/asked.js";
import type { KnownProcesses, Listed } from "../policy/known.js";
import type { Counted, Usage } from "../usage.js";

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

export class OperationWatcher {
  readonly #options: OperationOptions;
  readonly #counted = new Map<number, Counted>();
  readonly #pids = new Map<number, number>();
  readonly #begun = performance.now();
  readonly #asked: number;
  #errno = 0;
  #bytesIn = 0;
  #bytesOut = 0;
  #recorded = false;

  constructor(options: OperationOptions) {
    this.#options = options;
    const { asked, identity, usage } = options;
    this.#asked = usage.now();
    if (asked.operation !== "exec") return;
    for (const rank of asked.ranks) {
      this.#counted.set(rank, usage.add(identity.sub, asked.service, rank, asked));
    }
  }

  /** A response of a rank. @returns what of it is for the client */
  response(rank: number, payload: JsonObject): JsonObject {
    const { asked, touched } = this.#options;
    const { operation } = asked;
    const { pid } = payload;
    if (operation === "list") return this.#listed(rank, payload);
    if (operation === "wait") this.#gone(rank);
    const ends = operation === "wait" || operation === "kill" || payload["type"] === "finished";
    if (ends && operation !== "rpc") touched(rank);
    if (typeof pid === "number") {
      if (operation === "exec" && payload["type"] === "started") this.#started(rank, pid);
      if (operation === "attach" && payload["type"] === "attached") this.#pids.set(rank, pid);
    }
    if (operation === "attach" && payload["type"] === "finished") this.#gone(rank);
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
  failed(rank: number, { errno }: FluxError): void {
    this.#errno ||= errno;
    const { asked } = this.#options;
    // Nothing runs, or nobody could tell; or what was named is not there.
    // One that has not answered in time may have started it, and counts until it says so.
    if (asked.background && !this.#pids.has(rank) && errno !== ETIMEDOUT)
      this.#end(rank, errno === ECONNRESET);
    if (errno === NO_SUCH_PROCESS[asked.operation]) this.#gone(rank);
  }

  /** The broker has ended a rank. */
  ended(rank: number): void {
    const { asked, known, touched } = this.#options;
    if (asked.operation !== "exec" || asked.background) return;
    this.#end(rank, false);
    const pid = this.#pids.get(rank);
    if (pid === undefined) return;
    known.gone(asked.service, rank, pid);
    touched(rank);
  }

  /** Every rank has ended. */
  over(): void {
    this.#record();
  }

  /** The session has ended before. What ran in the foreground ends with it. */
  abort(): void {
    const { asked, touched } = this.#options;
    const { background } = asked;
    for (const rank of this.#counted.keys())
      if (!this.#pids.has(rank) || !background) {
        this.#end(rank, background);
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
    if (pinned) known.started(service, rank, pid, { label, foreground: !background, since: usage.now() });
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

  /** The process that was asked for is gone. */
  #gone(rank: number): void {
    const { asked, known, usage } = this.#options;
    const pid = this.#pids.get(rank) ?? asked.pid;
    const name =
      asked.label === undefined ? { ...(pid === undefined ? {} : { pid }) } : { label: asked.label };
    usage.gone(asked.service, rank, name, this.#asked);
    if (asked.label === undefined && pid !== undefined && !known.isForeground(asked.service, rank, pid)) {
      known.gone(asked.service, rank, pid);
    }
  }

  #end(rank: number, unknown: boolean): void {
    const counted = this.#counted.get(rank);
    if (unknown) counted?.unknown();
    else counted?.over();
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
