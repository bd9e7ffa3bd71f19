/**
 * The ends of a call's ranks. A rank ends twice: for the client with one last message, at the broker with its last answer;
 * rank-states.ts has the orders in which that happens.
 */
import type { FluxError } from "../../src/errors.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox } from "../flow/outbox.js";
import type { CallInput } from "./call-input.js";
import { errorMessage } from "./error-message.js";
import type { FanOut } from "./fan-out.js";
import type { FollowedProcesses } from "./followed-processes.js";
import type { OperationMonitor } from "./operation-monitor.js";
import type { RankEvent, RankState, RankStates } from "./rank-states.js";
import type { RankView } from "./ranks.js";
import type { ResponseWait } from "./response-wait.js";

/** The states in which a rank no longer counts against its session's allowance. */
const RELEASED: ReadonlySet<RankState> = new Set(["ignored", "over"]);

/** The states of a rank that the proxy gave up. */
const GIVEN_UP: ReadonlySet<RankState> = new Set(["flushingLate", "late"]);

/** The parts of a call that hear of the end of a rank. */
export interface RankEndingsOptions {
  id: number;
  states: RankStates;
  processes: Pick<FollowedProcesses, "get" | "delete">;
  monitor: Pick<OperationMonitor, "failed" | "ended">;
  outbox: Pick<Outbox, "send">;
  input: Pick<CallInput, "remove">;
  /** These three are called at an end only, and so may need what is made after this object. */
  wait(): Pick<ResponseWait, "over">;
  fanOut(): Pick<FanOut, "sent">;
  /** True if the call has a broker connection of its own, which closes with the last rank. */
  ownConnection(): boolean;
  /** Gives `count` ranks back to the session's allowance. */
  releaseRanks(count: number): void;
  /** The broker has ended every rank. */
  ended(): void;
  /** Besides, the client was sent every last message. */
  over(): void;
}

/** Ends the ranks of one call. */
export class RankEndings {
  /** Ranks without a last message. */
  readonly live: RankView;
  /** Ranks that the broker may still answer. */
  readonly open: RankView;
  /** Ranks whose last message the client was not sent. */
  readonly unsent: RankView;
  readonly #options: RankEndingsOptions;

  constructor(options: RankEndingsOptions) {
    this.#options = options;
    const { states } = options;
    this.live = states.view("live");
    this.open = states.view("live", "flushing", "ignored", "flushingLate", "late");
    this.unsent = states.view("live", "flushing", "flushingLate", "draining");
  }

  /** True if the proxy gave the rank up and the broker may still answer. */
  isGivenUp(rank: number): boolean {
    return GIVEN_UP.has(this.#options.states.get(rank) ?? "over");
  }

  /** Ends every rank that is not over with an error, for the client and at the broker: no answer is awaited. */
  failForBoth(error: FluxError): void {
    this.failForClient(error);
    for (const rank of [...this.open]) this.ended(rank, error);
  }

  /** Ends every live rank with an error, for the client alone: the broker's answers are awaited, and not passed on. */
  failForClient(error: FluxError): void {
    this.#failForClient(this.live, error, "decide");
  }

  /**
   * Ends ranks that did not answer. Where Flux may still answer, the rank keeps its id and its share of the allowance until it
   * does: its answer must not be taken for another's, and the requests that a client leaves unanswered must have a bound.
   */
  giveUp(ranks: readonly number[], error: FluxError): void {
    const { processes, ownConnection, fanOut } = this.#options;
    const unsent = ranks.filter((rank) => !fanOut().sent(rank));
    for (const rank of ranks) processes.get(rank)?.leave();
    this.#failForClient(ranks, error, "giveUp");
    const over = ownConnection() && this.live.size === 0 ? [...this.open] : unsent;
    for (const rank of over) this.ended(rank, error);
  }

  #failForClient(ranks: Iterable<number>, error: FluxError, event: "decide" | "giveUp"): void {
    const unanswered: number[] = [];
    for (const rank of ranks) {
      if (!this.live.has(rank)) continue;
      if (this.#options.processes.get(rank) !== undefined) this.lastMessage(rank, error, event);
      else unanswered.push(rank);
    }
    this.#failUnanswered(unanswered, error, event);
  }

  /** Decides the last message of a rank, if it has none: `end`, or an error. The output of a process comes before it. */
  lastMessage(rank: number, failure: FluxError | undefined, event: "decide" | "giveUp" = "decide"): void {
    if (!this.#move(rank, event)) return;
    const { id, processes, monitor, outbox, input, wait } = this.#options;
    wait().over([rank]);
    const process = processes.get(rank);
    const error = process?.error ?? failure;
    if (error !== undefined) monitor.failed(rank, error);
    const last: ControlMessage =
      error === undefined ? { type: "end", id, rank } : errorMessage(id, { ranks: [rank] }, error);
    if (process === undefined) {
      outbox.send(last);
      this.sent([rank]);
    } else {
      process.end(last);
    }
    input.remove(rank);
  }

  /** The client was sent the last message of these ranks. */
  sent(ranks: readonly number[]): void {
    for (const rank of ranks) {
      this.#move(rank, "sent");
      this.#options.processes.delete(rank);
    }
    this.finish();
  }

  /** The broker ended a rank, with an error or without. */
  ended(rank: number, failure: FluxError | undefined): void {
    if (!this.open.has(rank)) return;
    this.#options.processes.get(rank)?.leave();
    if (failure !== undefined && this.isGivenUp(rank)) this.#options.monitor.failed(rank, failure);
    this.lastMessage(rank, failure);
    this.#endedAtBroker(rank);
  }

  /** The broker ended a rank with the one answer of its request, which was the last message to the client. */
  answered(rank: number): void {
    if (!this.open.has(rank)) return;
    this.#move(rank, "decide");
    this.#options.wait().over([rank]);
    this.#move(rank, "sent");
    this.#endedAtBroker(rank);
  }

  /** Reports the end of the call, if every rank is over. */
  finish(): void {
    if (this.open.size === 0 && this.unsent.size === 0) this.#options.over();
  }

  #endedAtBroker(rank: number): void {
    this.#options.monitor.ended(rank);
    this.#move(rank, "ended");
    if (this.open.size === 0) this.#options.ended();
    this.finish();
  }

  /** Ends ranks of which the client gets nothing but this error: one message for all of them. */
  #failUnanswered(ranks: readonly number[], error: FluxError, event: "decide" | "giveUp"): void {
    if (ranks.length === 0) return;
    const { id, monitor, outbox, input, wait } = this.#options;
    for (const rank of ranks) {
      this.#move(rank, event);
      monitor.failed(rank, error);
    }
    wait().over(ranks);
    outbox.send(errorMessage(id, { ranks }, error));
    for (const rank of ranks) input.remove(rank);
    this.sent(ranks);
  }

  /** @returns whether the event changed the rank's state */
  #move(rank: number, event: RankEvent): boolean {
    const { states, releaseRanks } = this.#options;
    const before = states.get(rank);
    const after = states.move(rank, event);
    if (before === undefined || after === undefined) return false;
    if (!RELEASED.has(before) && RELEASED.has(after)) releaseRanks(1);
    return true;
  }
}
