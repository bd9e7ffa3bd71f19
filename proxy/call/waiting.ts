/**
 * How long a call waits for its ranks: until its deadline, and for as long as Flux reaches their brokers. Its client hears
 * which of them do not answer. PROTOCOL.md, "Requests" and "Processes".
 */
import { FluxError } from "../../src/errors.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import type { Request } from "../../src/protocol/messages.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox, State } from "../flow/outbox.js";
import type { Follower, Liveness } from "../liveness/liveness.js";
import { type RankList, RankSet } from "./ranks.js";

export interface WaitingOptions {
  request: Pick<Request, "id" | "topic" | "streaming" | "timeout">;
  ranks: RankList;
  /** Ranks that have no last message yet. */
  live: RankSet;
  /** Whether it follows processes: their client hears of ranks that do not answer. */
  isProcess: boolean;
  outbox: Pick<Outbox, "changed" | "forget">;
  liveness: Pick<Liveness, "add">;
  /** Runs what a timer or the broker has brought. */
  guard(action: () => void): void;
  /** These ranks are not waited for any longer. */
  giveUp(ranks: readonly number[], error: FluxError): void;
}

export class Waiting implements Follower {
  readonly ranks: RankSet;
  readonly #options: WaitingOptions;
  /** Ranks that have not answered. Absent if there is no deadline. */
  readonly #unanswered: RankSet | undefined;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #states = new Map<number, Responsiveness>();
  readonly #leave: () => void;

  /** It begins to wait. */
  constructor(options: WaitingOptions) {
    this.#options = options;
    const { request, ranks, live, isProcess, liveness } = options;
    const { timeout, streaming } = request;
    this.ranks = live;
    if (timeout !== undefined) {
      this.#unanswered = new RankSet(ranks);
      // An answer that has arrived by then, and was not read yet, is in time.
      this.#timer = setTimeout(
        () => setImmediate(() => options.guard(() => this.#expired(timeout))),
        timeout,
      );
    }
    // One answer with a deadline needs no more.
    this.#leave = isProcess || streaming || timeout === undefined ? liveness.add(this) : () => {};
  }

  /** A rank has answered: its deadline is kept. */
  answered(rank: number): void {
    if (this.#unanswered?.delete(rank) && this.#unanswered.size === 0) clearTimeout(this.#timer);
  }

  /** Ranks have their last message. */
  over(ranks: readonly number[]): void {
    for (const rank of ranks) {
      this.answered(rank);
      const state = this.#states.get(rank);
      if (state !== undefined) this.#options.outbox.forget(state);
      this.#states.delete(rank);
    }
    if (this.ranks.size === 0) this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#leave();
  }

  silent(rank: number): void {
    this.#changed(rank, false);
  }

  answers(rank: number): void {
    this.#changed(rank, true);
  }

  unreachable(rank: number, error: FluxError): void {
    this.#options.guard(() => this.#options.giveUp([rank], new FluxError(error.errno)));
  }

  #changed(rank: number, responsive: boolean): void {
    const { request, isProcess, outbox, guard } = this.#options;
    if (!isProcess) return;
    const state = this.#states.get(rank) ?? new Responsiveness(request.id, rank);
    this.#states.set(rank, state);
    state.responsive = responsive;
    guard(() => outbox.changed(state));
  }

  #expired(timeout: number): void {
    const late = [...(this.#unanswered ?? [])];
    if (late.length === 0) return;
    const who = late.length === 1 ? `rank ${late} has` : `ranks ${encodeIdset(late)} have`;
    const what = `${who} not answered ${this.#options.request.topic} for ${timeout / 1000} s`;
    this.#options.giveUp(late, new FluxError("ETIMEDOUT", what));
  }
}

/** Whether the broker of a rank answers. Only how it is counts: a client that is away is not told how often it changed. */
class Responsiveness implements State {
  responsive = true;
  readonly #id: number;
  readonly #rank: number;
  #told = true;

  constructor(id: number, rank: number) {
    this.#id = id;
    this.#rank = rank;
  }

  next(): ControlMessage | undefined {
    if (this.responsive === this.#told) return undefined;
    this.#told = this.responsive;
    return { type: this.responsive ? "responsive" : "unresponsive", id: this.#id, rank: this.#rank };
  }
}
