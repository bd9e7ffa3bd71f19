/**
 * Polls one rank for its processes, for every observer: one poll at a time, soon after a change, and less often while nothing
 * changes. A poll is one request, or two if the first is not answered soon.
 */
import { FluxError } from "../../src/errors.js";
import type { JsonObject } from "../broker/payload.js";
import { failureOf, isFailure, type RankSnapshot, readTable, type Table } from "./rank-snapshot.js";

/** The time to the next poll after a change, in milliseconds. Without a change it doubles. */
const CHANGED_MS = 200;

/** The least time to the next poll after a failure, in milliseconds. */
const FAILED_MS = 5000;

/** The time for an answer, in milliseconds. Then observers get ETIMEDOUT. */
const ANSWER_MS = 10_000;

/**
 * The time for an answer after which a poll sends its second request, in milliseconds. flux-core loses the request that finds
 * out that a broker has died: its error is routed to the dead broker (overlay.c, `request_error` after the routes were pushed).
 * The next request gets EHOSTUNREACH.
 */
const SECOND_MS = 2000;

/** The least time between two polls of a rank, in milliseconds: the time to the next poll after a process started or ended. */
const GAP_MS = 50;

/** A receiver of a rank's snapshots. */
export interface PollObserver {
  /** The longest delay of a change, in milliseconds. */
  readonly interval: number;
  /** True if it wants every snapshot, and not only a changed one. */
  readonly every: boolean;
  /** @param requestedAt the logical time of the request. It must not throw */
  snapshot(snapshot: RankSnapshot, requestedAt: number): void;
}

/** Receives the answer to one request. */
export interface Answer {
  response(payload: JsonObject): void;
  error(error: FluxError): void;
}

/** The rank, and the owner of its poller. */
export interface PollerOptions {
  /** Sends one request. Later, one method of `answer` is called once. */
  request(answer: Answer): void;
  /** The next logical time (`Usage.tick`). */
  tick(): number;
  /** A table has come, as an answer to a request of that time. */
  listed(table: Table, requestedAt: number): void;
  /** No observer is left, and no answer is awaited. */
  idle(): void;
}

/** One subscription: an observer may have several. */
interface Subscription {
  readonly observer: PollObserver;
  /** True if the observer has had a snapshot. */
  served: boolean;
}

type Timer = ReturnType<typeof setTimeout>;

type State =
  | { readonly name: "idle" }
  /** The next poll begins at `due`. */
  | { readonly name: "waiting"; readonly due: number; readonly timer: Timer }
  /** No request from `first` on is answered. `limit` ends the time for an answer, `second` sends the second request. */
  | { readonly name: "polling"; readonly first: number; readonly limit: Timer; readonly second: Timer };

const IDLE: State = { name: "idle" };

/** The polls of one rank. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #subscriptions = new Set<Subscription>();
  #state: State = IDLE;
  /** Undefined until the first answer. */
  #snapshot: RankSnapshot | undefined;
  /** The logical time of the request for `#snapshot`. */
  #requestedAt = 0;
  /** The time from a poll's end to the next poll, unless an observer's interval is shorter, in milliseconds. */
  #delay = CHANGED_MS;
  /** When the latest poll began, and when one was last answered. */
  #beganAt = Number.NEGATIVE_INFINITY;
  #endedAt = Number.NEGATIVE_INFINITY;
  /** The number of the latest request. */
  #last = 0;
  /** The number of the latest request that is answered: an answer to an earlier one is older, and is dropped. */
  #answered = 0;
  /** True if a process started or ended after the latest poll began: its answer may be older than that. */
  #outdated = false;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Sends an observer the present snapshot, at once if it is fresh enough, and then each change. @returns ends the subscription */
  add(observer: PollObserver): () => void {
    const subscription = { observer, served: false };
    this.#subscriptions.add(subscription);
    const age = performance.now() - this.#endedAt;
    const present = this.#snapshot;
    if (present !== undefined && (isFailure(present) || age <= observer.interval)) {
      subscription.served = true;
      observer.snapshot(present, this.#requestedAt);
      this.#schedule();
    } else if (this.#state.name !== "polling") this.#pollBy(this.#beganAt + GAP_MS);
    return () => this.#remove(subscription);
  }

  /** A process of the rank started or ended. */
  touch(): void {
    this.#delay = GAP_MS;
    if (this.#state.name === "polling") this.#outdated = true;
    else if (this.#subscriptions.size > 0) this.#pollBy(this.#beganAt + GAP_MS);
  }

  /** Ends every subscription and sends no further request. */
  close(): void {
    this.#subscriptions.clear();
    this.#enter(IDLE);
  }

  #remove(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription) || this.#subscriptions.size > 0) return;
    if (this.#state.name === "polling") return;
    this.#enter(IDLE);
    this.#options.idle();
  }

  /** Leaves the present state with its timers. */
  #enter(state: State): void {
    const before = this.#state;
    if (before.name === "waiting") clearTimeout(before.timer);
    if (before.name === "polling") for (const timer of [before.limit, before.second]) clearTimeout(timer);
    this.#state = state;
  }

  #schedule(): void {
    if (this.#state.name === "polling" || this.#subscriptions.size === 0) return;
    let interval = Number.POSITIVE_INFINITY;
    for (const { observer } of this.#subscriptions) interval = Math.min(interval, observer.interval);
    const wait = isFailure(this.#snapshot) ? Math.max(interval, FAILED_MS) : Math.min(interval, this.#delay);
    this.#pollBy(this.#endedAt + wait);
  }

  /** Begins a poll at a time, unless one begins sooner. */
  #pollBy(due: number): void {
    if (this.#state.name === "waiting" && due >= this.#state.due) return;
    const wait = due - performance.now();
    if (wait <= 0) this.#poll();
    else this.#enter({ name: "waiting", due, timer: setTimeout(() => this.#poll(), Math.ceil(wait)) });
  }

  #poll(): void {
    this.#outdated = false;
    this.#beganAt = performance.now();
    this.#enter({
      name: "polling",
      first: this.#last + 1,
      limit: setTimeout(() => this.#late(requestedAt), ANSWER_MS),
      second: setTimeout(() => this.#subscriptions.size > 0 && this.#send(), SECOND_MS),
    });
    const requestedAt = this.#send();
  }

  /** @returns the logical time of the request */
  #send(): number {
    const { request, tick, listed } = this.#options;
    const requestedAt = tick();
    const number = ++this.#last;
    request({
      response: (payload) => {
        let snapshot: RankSnapshot;
        try {
          snapshot = readTable(payload, this.#snapshot);
          listed(snapshot, requestedAt);
        } catch (error) {
          if (!(error instanceof FluxError)) throw error;
          snapshot = failureOf(error);
        }
        this.#answer(number, snapshot, requestedAt);
      },
      error: (error) => this.#answer(number, failureOf(error), requestedAt),
    });
    return requestedAt;
  }

  /** The time for an answer is over. The poll goes on until one of its requests is answered, however long that takes. */
  #late(requestedAt: number): void {
    const error = new FluxError("ETIMEDOUT", `the rank has not answered for ${ANSWER_MS / 1000} s`);
    this.#publish(failureOf(error), requestedAt);
    if (this.#subscriptions.size === 0) this.#options.idle();
  }

  #answer(number: number, snapshot: RankSnapshot, requestedAt: number): void {
    if (number < this.#answered) return;
    this.#answered = number;
    if (this.#state.name !== "polling" || number < this.#state.first) {
      // The second answer of a poll that ended with its first.
      this.#publish(snapshot, requestedAt);
      return;
    }
    this.#enter(IDLE);
    this.#endedAt = performance.now();
    this.#publish(snapshot, requestedAt);
    if (this.#subscriptions.size === 0) this.#options.idle();
    else if (this.#outdated) this.#pollBy(this.#beganAt + GAP_MS);
    else this.#schedule();
  }

  /** Sends a snapshot to the observers that it is new to. */
  #publish(snapshot: RankSnapshot, requestedAt: number): void {
    const changed = snapshot !== this.#snapshot;
    if (!this.#outdated) this.#delay = changed ? CHANGED_MS : this.#delay * 2;
    this.#snapshot = snapshot;
    this.#requestedAt = requestedAt;
    for (const subscription of this.#subscriptions) {
      const { observer, served } = subscription;
      subscription.served = true;
      if (changed || !served || observer.every) observer.snapshot(snapshot, requestedAt);
    }
  }
}
