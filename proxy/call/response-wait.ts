/**
 * The wait of a call for its ranks: until its deadline, and while Flux reaches their brokers. The client learns which ranks do not
 * answer. PROTOCOL.md, "Requests" and "Processes".
 */
import { FluxError } from "../../src/errors.js";
import { encodeIdset } from "../../src/protocol/idset.js";
import type { Request } from "../../src/protocol/messages.js";
import type { ControlMessage } from "../flow/message.js";
import type { Outbox } from "../flow/outbox.js";
import type { State } from "../flow/states.js";
import type { Liveness, LivenessObserver } from "../liveness/liveness.js";
import { type RankList, RankSet, type RankView } from "./ranks.js";

/** The call that waits. */
export interface ResponseWaitOptions {
  request: Pick<Request, "id" | "topic" | "streaming" | "timeout">;
  ranks: RankList;
  /** Ranks that have no last message yet. */
  live: RankView;
  /** True if the call follows processes: its client is sent `unresponsive` and `responsive`. */
  isProcess: boolean;
  outbox: Pick<Outbox, "changed" | "forget">;
  liveness: Pick<Liveness, "add">;
  /** Runs a callback of a timer or of the broker. */
  guard(action: () => void): void;
  /** Ends the wait for these ranks. */
  giveUp(ranks: readonly number[], error: FluxError): void;
}

/** The wait of one call. */
export class ResponseWait implements LivenessObserver {
  readonly ranks: RankView;
  readonly #options: ResponseWaitOptions;
  /** Ranks that have not answered. Undefined without a deadline. */
  readonly #unanswered: RankSet | undefined;
  /** Undefined without a deadline. */
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  /** Only ranks that have not answered for a round at least once. */
  readonly #states = new Map<number, Responsiveness>();
  readonly #leave: () => void;

  /** The wait begins. */
  constructor(options: ResponseWaitOptions) {
    this.#options = options;
    const { request, ranks, live, isProcess, liveness } = options;
    const { timeout, streaming } = request;
    this.ranks = live;
    if (timeout !== undefined) {
      this.#unanswered = new RankSet(ranks);
      // An answer that has arrived by then is in time, although it was not read yet: it is read before setImmediate.
      this.#timer = setTimeout(
        () => setImmediate(() => options.guard(() => this.#expired(timeout))),
        timeout,
      );
    }
    // A deadline suffices for a request with one answer.
    this.#leave = isProcess || streaming || timeout === undefined ? liveness.add(this) : () => {};
  }

  /** A rank has answered, and so kept its deadline. */
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
    const subject = late.length === 1 ? `rank ${late} has` : `ranks ${encodeIdset(late)} have`;
    const what = `${subject} not answered ${this.#options.request.topic} for ${timeout / 1000} s`;
    this.#options.giveUp(late, new FluxError("ETIMEDOUT", what));
  }
}

/** True if the broker of a rank answers. A state: a client that was away gets the latest value, not each change. */
class Responsiveness implements State {
  responsive = true;
  readonly #id: number;
  readonly #rank: number;
  /** The value that the client has. */
  #sent = true;

  constructor(id: number, rank: number) {
    this.#id = id;
    this.#rank = rank;
  }

  next(): ControlMessage | undefined {
    if (this.responsive === this.#sent) return undefined;
    this.#sent = this.responsive;
    return { type: this.responsive ? "responsive" : "unresponsive", id: this.#id, rank: this.#rank };
  }
}
