/**
 * Asks one rank for its processes again and again, for all who watch it: once at a time, but for a second request beside
 * one that is not answered; often after a change, and less often the longer there is none.
 */
import { FluxError } from "../../src/errors.js";
import type { JsonObject } from "../broker/payload.js";
import { failureOf, isFailure, readTable, type Seen, type Table } from "./seen.js";

/** How soon a rank is asked again after a change, in milliseconds; then after twice that, and so on. */
const CHANGED_MS = 200;

/** How long a rank that could not be asked is left alone, in milliseconds. */
const SLOW_MS = 5000;

/** How long a rank may take to answer before that is told as its error, in milliseconds. */
const ANSWER_MS = 10_000;

/**
 * How long the first request of a poll waits for its answer before a second one is sent beside it, in milliseconds.
 * flux-core loses the request that finds out that a broker has died: its error is routed to the dead broker (overlay.c,
 * `request_error` after the routes were pushed). The next request gets EHOSTUNREACH.
 */
const BESIDE_MS = 2000;

/** The least between two requests to a rank, in milliseconds, and so soon it is asked again where a signal was sent. */
const GAP_MS = 50;

export interface PollObserver {
  /** By how much a change may be late, in milliseconds. */
  readonly interval: number;
  /** Whether it wants every answer, and not only those with a change. */
  readonly every: boolean;
  /** @param asked when the rank was asked, by the clock of the options. It must not throw */
  seen(seen: Seen, asked: number): void;
}

export interface Answer {
  response(payload: JsonObject): void;
  error(error: FluxError): void;
}

export interface PollerOptions {
  /** Sends the request. One of both is called, once. */
  ask(answer: Answer): void;
  /** Points in time for who remembers processes. */
  now(): number;
  /** A list that was asked for at `asked` has come. */
  listed(table: Table, asked: number): void;
  /** Nobody watches, and no answer is awaited. */
  idle(): void;
}

/** An observer has one for each time that it was added. */
interface Place {
  readonly observer: PollObserver;
  told: boolean;
}

export class Poller {
  readonly #options: PollerOptions;
  readonly #places = new Set<Place>();
  #seen: Seen | undefined;
  /** When that was asked for, by the clock of the options. */
  #asked = 0;
  #delay = CHANGED_MS;
  #begun = Number.NEGATIVE_INFINITY;
  #ended = Number.NEGATIVE_INFINITY;
  /** The number of the last request, of the first one of the poll under way, and of the latest one that was answered. */
  #last = 0;
  #first = 0;
  #answer = 0;
  #underWay = false;
  /** Whether the answer that is awaited may be older than what has happened. */
  #again = false;
  /** When it is asked next. */
  #due = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #limit: ReturnType<typeof setTimeout> | undefined;
  #beside: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Tells an observer what is there, at once if that is known, and from then on what changes. @returns ends that */
  add(observer: PollObserver): () => void {
    const place = { observer, told: false };
    this.#places.add(place);
    const age = performance.now() - this.#ended;
    const known = this.#seen;
    if (known !== undefined && (isFailure(known) || age <= observer.interval)) {
      place.told = true;
      observer.seen(known, this.#asked);
      this.#schedule();
    } else if (!this.#underWay) this.#askBy(this.#begun + GAP_MS);
    return () => this.#remove(place);
  }

  /** Something was started or has ended there. */
  touch(): void {
    this.#delay = GAP_MS;
    if (this.#underWay) this.#again = true;
    else if (this.#places.size > 0) this.#askBy(this.#begun + GAP_MS);
  }

  /** Nothing is asked any more, and nobody told. */
  close(): void {
    this.#places.clear();
    clearTimeout(this.#timer);
    clearTimeout(this.#limit);
    clearTimeout(this.#beside);
  }

  #remove(place: Place): void {
    if (!this.#places.delete(place) || this.#places.size > 0) return;
    clearTimeout(this.#timer);
    if (!this.#underWay) this.#options.idle();
  }

  #schedule(): void {
    if (this.#underWay || this.#places.size === 0) return;
    let interval = Number.POSITIVE_INFINITY;
    for (const { observer } of this.#places) interval = Math.min(interval, observer.interval);
    const wait = isFailure(this.#seen) ? Math.max(interval, SLOW_MS) : Math.min(interval, this.#delay);
    this.#askBy(this.#ended + wait);
  }

  /** Asks at a time, unless that is to be done sooner. */
  #askBy(time: number): void {
    if (time >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = time;
    const wait = time - performance.now();
    if (wait <= 0) this.#ask();
    else this.#timer = setTimeout(() => this.#ask(), Math.ceil(wait));
  }

  #ask(): void {
    this.#due = Number.POSITIVE_INFINITY;
    this.#underWay = true;
    this.#again = false;
    this.#begun = performance.now();
    this.#first = this.#last + 1;
    const asked = this.#send();
    this.#limit = setTimeout(() => this.#late(asked), ANSWER_MS);
    this.#beside = setTimeout(() => this.#places.size > 0 && this.#send(), BESIDE_MS);
  }

  /** @returns when that was, by the clock of the options */
  #send(): number {
    const { ask, now, listed } = this.#options;
    const asked = now();
    const request = ++this.#last;
    ask({
      response: (payload) => {
        let seen: Seen;
        try {
          seen = readTable(payload, this.#seen);
          listed(seen, asked);
        } catch (error) {
          if (!(error instanceof FluxError)) throw error;
          seen = failureOf(error);
        }
        this.#answered(request, seen, asked);
      },
      error: (error) => this.#answered(request, failureOf(error), asked),
    });
    return asked;
  }

  /** Neither request is answered. None is added before one is, however long that takes. */
  #late(asked: number): void {
    const error = new FluxError("ETIMEDOUT", `the rank has not answered for ${ANSWER_MS / 1000} s`);
    this.#tell(failureOf(error), asked);
    if (this.#places.size === 0) this.#options.idle();
  }

  #answered(request: number, seen: Seen, asked: number): void {
    if (request < this.#answer) return;
    this.#answer = request;
    if (!this.#underWay || request < this.#first) {
      // The second answer of a poll that was over with its first.
      this.#tell(seen, asked);
      return;
    }
    clearTimeout(this.#limit);
    clearTimeout(this.#beside);
    this.#underWay = false;
    this.#ended = performance.now();
    this.#tell(seen, asked);
    if (this.#places.size === 0) this.#options.idle();
    else if (this.#again) this.#askBy(this.#begun + GAP_MS);
    else this.#schedule();
  }

  #tell(seen: Seen, asked: number): void {
    const changed = seen !== this.#seen;
    if (!this.#again) this.#delay = changed ? CHANGED_MS : this.#delay * 2;
    this.#seen = seen;
    this.#asked = asked;
    for (const place of this.#places) {
      const { observer, told } = place;
      place.told = true;
      if (changed || !told || observer.every) observer.seen(seen, asked);
    }
  }
}
