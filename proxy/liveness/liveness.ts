/**
 * Probes the ranks that requests wait for: the broker of each such rank once a round, for all sessions of a proxy. Flux does not
 * report a broker that hangs. PROTOCOL.md, "Processes".
 */
import type { FluxError } from "../../src/errors.js";

/** A request that waits for ranks. */
export interface LivenessObserver {
  /** The ranks that it waits for. */
  readonly ranks: Iterable<number> & { has(rank: number): boolean };
  /** The broker of a rank has not answered for a round. Called once, until it answers again. */
  silent(rank: number): void;
  /** The broker answers again. */
  answers(rank: number): void;
  /** Flux cannot reach the rank: no answer of it will come. */
  unreachable(rank: number, error: FluxError): void;
}

/** Receives the answer to a probe. */
export interface ProbeAnswer {
  response(): void;
  error(error: FluxError): void;
}

/** The probes and their pace. */
export interface LivenessOptions {
  /** The time between two rounds, in milliseconds. */
  intervalMs: number;
  /** Sends the broker of a rank a request that it answers at once. */
  probe(rank: number, answer: ProbeAnswer): void;
}

/** The most ranks that are probed at once, and the time until the next ones, in milliseconds. */
const BATCH = 16;
const BATCH_MS = 10;

/** The most ranks that are visited in one turn of the event loop: many requests may wait for the same ranks. */
const STEPS = 1024;

/**
 * The most unanswered probes of a rank. A second one is needed because flux-core loses the request that finds a broker dead, and
 * answers the next one with EHOSTUNREACH.
 */
const MAX_UNANSWERED = 2;

/** The unanswered probes of a rank. */
interface PendingProbes {
  /** The number of unanswered probes. */
  count: number;
  /** The round of the last visit. */
  round: number;
}

/** Probes ranks in rounds while requests wait for them. */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #observers = new Set<LivenessObserver>();
  /** Ranks with unanswered probes. */
  readonly #pending = new Map<number, PendingProbes>();
  /** Ranks that were reported silent and have not answered since. */
  readonly #silent = new Set<number>();
  #round = 0;
  /** The ranks that this round has visited. */
  #visited = new Set<number>();
  /** The rest of the round; undefined between two rounds. */
  #ranks: Iterator<number, void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** A request waits from now on. Silent ranks are reported to it at once. @returns ends the wait */
  add(observer: LivenessObserver): () => void {
    this.#observers.add(observer);
    for (const rank of this.#silent) if (observer.ranks.has(rank)) observer.silent(rank);
    this.#timer ??= this.#after(this.#options.intervalMs);
    return () => {
      this.#observers.delete(observer);
      if (this.#observers.size === 0) this.#rest();
    };
  }

  /** The proxy stops. */
  close(): void {
    this.#observers.clear();
    this.#rest();
  }

  /** The next visits come after a read: if the event loop stood still, answers may have arrived that were not read. */
  #after(ms: number): ReturnType<typeof setTimeout> {
    const look = () => this.#timer === timer && this.#look();
    const timer = setTimeout(() => setImmediate(look), ms);
    return timer;
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ranks = undefined;
    // Probes of an earlier round prove nothing about a rank that is probed again later.
    this.#round++;
    // The state of a rank is unknown while it is not probed.
    this.#silent.clear();
  }

  #look(): void {
    if (this.#observers.size === 0) return;
    if (this.#ranks === undefined) this.#begin();
    const done = this.#visitSome();
    this.#timer = this.#after(done ? this.#options.intervalMs : BATCH_MS);
  }

  #begin(): void {
    this.#round++;
    this.#visited = new Set();
    this.#ranks = this.#all();
  }

  *#all(): Generator<number, void, void> {
    for (const { ranks } of this.#observers) yield* ranks;
  }

  /** @returns whether the round is over */
  #visitSome(): boolean {
    let visits = 0;
    for (let step = 0; step < STEPS && visits < BATCH; step++) {
      const next = this.#ranks?.next();
      if (next === undefined || next.done) {
        this.#ranks = undefined;
        for (const rank of this.#silent) if (!this.#visited.has(rank)) this.#silent.delete(rank);
        return true;
      }
      if (this.#visited.has(next.value)) continue;
      this.#visited.add(next.value);
      this.#visit(next.value);
      visits++;
    }
    return false;
  }

  #visit(rank: number): void {
    const pending = this.#pending.get(rank);
    // If the last round did not visit the rank, nobody waited for it meanwhile.
    if (pending?.round === this.#round - 1 && !this.#silent.has(rank)) {
      this.#silent.add(rank);
      this.#notify(rank, (observer) => observer.silent(rank));
    }
    if (pending !== undefined) pending.round = this.#round;
    if (pending === undefined || pending.count < MAX_UNANSWERED) this.#probe(rank);
  }

  #probe(rank: number): void {
    const pending = this.#pending.get(rank) ?? { count: 0, round: this.#round };
    pending.count++;
    this.#pending.set(rank, pending);
    this.#options.probe(rank, {
      response: () => this.#answered(rank, pending),
      error: (error) => {
        if (error.code === "EHOSTUNREACH") this.#lost(rank, pending, error);
        // The connection was lost or could not be opened: that is not an answer of the rank.
        else pending.count--;
      },
    });
  }

  #answered(rank: number, pending: PendingProbes): void {
    // An earlier probe that is unanswered by now is lost.
    if (this.#pending.get(rank) === pending) this.#pending.delete(rank);
    if (this.#silent.delete(rank)) this.#notify(rank, (observer) => observer.answers(rank));
  }

  #lost(rank: number, pending: PendingProbes, error: FluxError): void {
    if (this.#pending.get(rank) === pending) this.#pending.delete(rank);
    this.#silent.delete(rank);
    this.#notify(rank, (observer) => observer.unreachable(rank, error));
  }

  #notify(rank: number, notify: (observer: LivenessObserver) => void): void {
    for (const observer of [...this.#observers]) if (observer.ranks.has(rank)) notify(observer);
  }
}
