/** The events of a followed process, made from RFC 42's responses. */
import { FluxError } from "../errors.js";
import type { Command } from "../protocol/rfc42.js";
import type { ClientCall, RankMessage } from "../session/client-call.js";
import { type Outcome, outcomeOf } from "./outcome.js";

/** An event on one broker rank. */
export interface RankEvent<Type extends string> {
  /** The kind of event. */
  readonly type: Type;
  /** The broker rank of the process. */
  readonly rank: number;
}

/** The process runs. */
export interface StartedEvent extends RankEvent<"started"> {
  /** Its process id. */
  readonly pid: number;
  /** The request's id, for {@link write} (RFC 42 `matchtag`). */
  readonly matchtag: number;
}

/** An attach has found the process. */
export interface AttachedEvent extends RankEvent<"attached"> {
  /** Its process id. */
  readonly pid: number;
  /** The command that it was started with. */
  readonly cmd: Command;
}

/** The process has written. */
export interface OutputEvent extends RankEvent<"output"> {
  /** "stdout", "stderr" or the name of an auxiliary channel. */
  readonly stream: string;
  /** The bytes. */
  readonly data: Uint8Array;
}

/** Output is missing here, because it was not consumed in time. */
export interface GapEvent extends RankEvent<"gap"> {
  /** "stdout", "stderr" or the name of an auxiliary channel. */
  readonly stream: string;
  /** The number of missing bytes. */
  readonly bytes: number;
}

/** The stream has ended. */
export interface EofEvent extends RankEvent<"eof"> {
  /** "stdout", "stderr" or the name of an auxiliary channel. */
  readonly stream: string;
}

/** A signal such as SIGSTOP has stopped the process. No event follows when it continues. */
export interface StoppedEvent extends RankEvent<"stopped"> {}

/** The broker of the rank has not answered for some seconds, or answers again. The state of the process in between is not known. */
export interface ResponsivenessEvent extends RankEvent<"unresponsive" | "responsive"> {}

/** The process has ended. Output may still follow. */
export interface FinishedEvent extends RankEvent<"finished"> {
  /** How it ended. */
  readonly outcome: Outcome;
}

/**
 * One rank of several has failed: it could not start the process, or lost it; then `finished` with outcome "unknown" follows. A
 * request to a single rank errors instead.
 */
export interface FailedEvent extends RankEvent<"error"> {
  /** The reason. */
  readonly error: FluxError;
}

/** An event of a process that {@link exec} or {@link attach} follows. */
export type ProcessEvent =
  | StartedEvent
  | AttachedEvent
  | OutputEvent
  | GapEvent
  | EofEvent
  | StoppedEvent
  | ResponsivenessEvent
  | FinishedEvent
  | FailedEvent;

/** The events of a process on one rank. A failure of that rank is the error of the Observable. */
export type OneRankEvent = Exclude<ProcessEvent, FailedEvent>;

/** Receives events, as an RxJS subscriber does. */
export interface ProcessObserver {
  /** An event. */
  next(event: ProcessEvent): void;
  /** The session is lost, or no rank has an outcome. */
  error(error: unknown): void;
  /** Every rank has delivered everything. */
  complete(): void;
}

/**
 * Turns the messages of one request into events. Invariants: it completes only after the last message of every rank, and it errors if
 * no rank has a known outcome.
 */
export class ProcessEvents {
  readonly #observer: ProcessObserver;
  readonly #call: () => ClientCall;
  /** Pids by rank, from `started` or `attached` to the last message. */
  readonly #pids = new Map<number, number>();
  readonly #finished = new Set<number>();
  readonly #failed = new Set<number>();
  /** The number of outcomes other than "unknown". */
  #outcomes = 0;
  #firstError: FluxError | undefined;

  /** @param call returns the request of the messages */
  constructor(observer: ProcessObserver, call: () => ClientCall) {
    this.#observer = observer;
    this.#call = call;
  }

  /** The pid on each rank where the process has started, until its last message. */
  get running(): ReadonlyMap<number, number> {
    return this.#pids;
  }

  /** Takes a message of a rank. */
  receive(message: RankMessage): void {
    const { rank } = message;
    // One failure for each rank: messages after a malformed one are not trusted.
    if (this.#failed.has(rank)) return;
    switch (message.type) {
      case "data":
        this.#observer.next({ type: "output", rank, stream: message.stream, data: message.data });
        break;
      case "response":
        this.#response(rank, message.payload);
        break;
      case "error":
        this.#fail(rank, message.error);
        break;
      case "end":
        // RFC 42: the server must have sent started and finished before ENODATA.
        if (!this.#finished.has(rank))
          this.#fail(rank, this.#protocolError(rank, "the process did not finish"));
        this.#pids.delete(rank);
        break;
      default: {
        const { seq: _, id: __, ...event } = message;
        this.#observer.next(event);
      }
    }
  }

  /** Every rank has sent its last message. */
  complete(): void {
    // A single rank has no `error` event, so a failure after `finished` must be reported here.
    const failed = this.#outcomes === 0 || this.#call().ids === 1;
    if (failed && this.#firstError) this.#observer.error(this.#firstError);
    else this.#observer.complete();
  }

  /** The session is lost: the outcome of processes that still run is "unknown". */
  lost(error: FluxError): void {
    for (const rank of this.#pids.keys()) {
      if (!this.#finished.has(rank)) this.#finish(rank, { kind: "unknown", cause: error });
    }
    this.#pids.clear();
    this.#observer.error(error);
  }

  #response(rank: number, payload: Record<string, unknown>): void {
    const { type, pid, status, cmd } = payload;
    const outcome = type === "finished" && !this.#finished.has(rank) ? readOutcome(status) : undefined;
    if (type === "started" && isPid(pid)) {
      this.#pids.set(rank, pid);
      this.#observer.next({ type, rank, pid, matchtag: this.#call().id as number });
    } else if (type === "attached" && isPid(pid)) {
      this.#pids.set(rank, pid);
      this.#observer.next({ type, rank, pid, cmd: cmd as Command });
    } else if (type === "stopped") {
      this.#observer.next({ type, rank });
    } else if (outcome) {
      this.#finish(rank, outcome);
    } else {
      const sent = JSON.stringify(payload);
      this.#fail(rank, this.#protocolError(rank, `an answer that RFC 42 does not have: ${sent}`));
    }
  }

  #protocolError(rank: number, reason: string): FluxError {
    return this.#call().error("EPROTO", reason, rank);
  }

  #finish(rank: number, outcome: Outcome): void {
    this.#finished.add(rank);
    if (outcome.kind !== "unknown") this.#outcomes++;
    this.#observer.next({ type: "finished", rank, outcome });
  }

  #fail(rank: number, error: FluxError): void {
    this.#failed.add(rank);
    this.#firstError ??= error;
    if (this.#call().ids > 1) this.#observer.next({ type: "error", rank, error });
    if (this.#pids.delete(rank) && !this.#finished.has(rank)) {
      this.#finish(rank, { kind: "unknown", cause: error });
    }
  }
}

/** The error of a reader that cannot represent a gap. */
export function gapError({ rank, stream, bytes }: ProcessEvent & { type: "gap" }): FluxError {
  const reason = `${bytes} bytes of ${stream} were not taken in time and are missing`;
  return new FluxError("ENOBUFS", reason, { rank, subject: "output" });
}

function readOutcome(status: unknown): Outcome | undefined {
  try {
    return outcomeOf(status as number);
  } catch {
    return undefined;
  }
}

function isPid(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
}
