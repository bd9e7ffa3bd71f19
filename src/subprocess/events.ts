/** What a process in the foreground tells, and how RFC 42's responses become that. */
import { FluxError } from "../errors.js";
import type { Command } from "../protocol/rfc42.js";
import type { ClientCall, RankMessage } from "../session/client-call.js";
import { type Outcome, outcomeOf } from "./outcome.js";

/** An event of a process that `exec` or `attach` follows, with the broker rank that it is of. */
export type ProcessEvent =
  /** It runs. `matchtag` is what `write` takes. */
  | { readonly type: "started"; readonly rank: number; readonly pid: number; readonly matchtag: number }
  /** An attach found it. `cmd` is the command that it was started with. */
  | { readonly type: "attached"; readonly rank: number; readonly pid: number; readonly cmd: Command }
  /** It wrote. `stream` is "stdout", "stderr" or the name of an auxiliary channel. */
  | { readonly type: "output"; readonly rank: number; readonly stream: string; readonly data: Uint8Array }
  /** So many bytes of output, which nobody took in time, are missing here. */
  | { readonly type: "gap"; readonly rank: number; readonly stream: string; readonly bytes: number }
  /** No more output on that stream. */
  | { readonly type: "eof"; readonly rank: number; readonly stream: string }
  /** It was stopped, by SIGSTOP for one. Nothing tells when it continues. */
  | { readonly type: "stopped"; readonly rank: number }
  /**
   * The broker of its rank does not answer, for some seconds, or answers again. Nothing is known of the process meanwhile.
   */
  | { readonly type: "unresponsive" | "responsive"; readonly rank: number }
  /** It ended. Output may still follow. */
  | { readonly type: "finished"; readonly rank: number; readonly outcome: Outcome }
  /**
   * One rank of several failed: it could not start the process, or lost it (then `finished` with outcome "unknown"
   * follows). A single rank that fails is the error of the stream.
   */
  | { readonly type: "error"; readonly rank: number; readonly error: FluxError };

/** Where events go: an RxJS subscriber, for one. */
export interface ProcessObserver {
  next(event: ProcessEvent): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Turns what the ranks of one request send into events, and keeps the two promises of the stream: it completes only
 * when every rank has delivered all; and it errors when no rank has told how its process ended.
 */
export class ProcessEvents {
  readonly #observer: ProcessObserver;
  readonly #call: () => ClientCall;
  readonly #pids = new Map<number, number>();
  readonly #finished = new Set<number>();
  readonly #failed = new Set<number>();
  #outcomes = 0;
  #firstError: FluxError | undefined;

  /** @param call gives the request that the messages are of */
  constructor(observer: ProcessObserver, call: () => ClientCall) {
    this.#observer = observer;
    this.#call = call;
  }

  /** The pid on each rank where the process has started and its stream is not over. */
  get running(): ReadonlyMap<number, number> {
    return this.#pids;
  }

  receive(message: RankMessage): void {
    const { rank } = message;
    // One failure a rank: what it sends after nonsense is no better.
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
        if (!this.#finished.has(rank)) this.#fail(rank, protocolError(rank, "the process did not finish"));
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
    // A single rank has no `error` event: what is lost after `finished` must be told here.
    const failed = this.#outcomes === 0 || this.#call().ids === 1;
    if (failed && this.#firstError) this.#observer.error(this.#firstError);
    else this.#observer.complete();
  }

  /** The session is lost, and with it how the processes that still run will end. */
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
      this.#fail(
        rank,
        protocolError(rank, `an answer that RFC 42 does not have: ${JSON.stringify(payload)}`),
      );
    }
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

/** The error of those to whom a gap would be a lie. */
export function gapError({ rank, stream, bytes }: ProcessEvent & { type: "gap" }): FluxError {
  return new FluxError("ENOBUFS", `${bytes} bytes of ${stream} were not taken in time and are missing`, {
    rank,
  });
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

function protocolError(rank: number, message: string): FluxError {
  return new FluxError("EPROTO", message, { rank });
}
