/**
 * Which ranks answer, while requests wait for them: the broker of each such rank is asked once a round, for all sessions
 * of a proxy. Flux says nothing of a broker that hangs. PROTOCOL.md, "Processes".
 */
import type { FluxError } from "../../src/errors.js";

/** A request that waits for ranks. */
export interface LivenessObserver {
  /** The ranks that it waits for. */
  readonly ranks: Iterable<number> & { has(rank: number): boolean };
  /** The broker of one of them has not answered for a round. Called once, until it answers again. */
  silent(rank: number): void;
  /** It answers again. */
  answers(rank: number): void;
  /** Flux cannot reach the rank: it will not be heard of any more. */
  unreachable(rank: number, error: FluxError): void;
}

/** Takes what comes of a question. */
export interface ProbeAnswer {
  response(): void;
  error(error: FluxError): void;
}

export interface LivenessOptions {
  /** How long a round takes, in milliseconds, unless there are very many ranks. */
  intervalMs: number;
  /** Asks the broker of a rank what it answers at once. */
  probe(rank: number, answer: ProbeAnswer): void;
}

/** The most ranks that are asked at once, and how soon the next ones are, in milliseconds. */
const BATCH = 16;
const BATCH_MS = 10;

/** The most ranks that are looked at in one turn of the event loop: many requests may wait for the same ones. */
const STEPS = 1024;

/**
 * The most questions to a rank that are not answered: a second one, since flux-core loses the request that finds out that
 * a broker has died, and answers the next one with EHOSTUNREACH.
 */
const MAX_ASKED = 2;

interface PendingProbes {
  /** How many questions are not answered. */
  count: number;
  /** The round of the last look at it. */
  round: number;
}

export class Liveness {
  readonly #options: LivenessOptions;
  readonly #followers = new Set<LivenessObserver>();
  /** Ranks whose broker was asked and has not answered. */
  readonly #asked = new Map<number, PendingProbes>();
  readonly #silent = new Set<number>();
  #round = 0;
  /** The ranks that this round has come to. */
  #visited = new Set<number>();
  #ranks: Iterator<number, void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** From now on a request waits. It is told at once of ranks that are silent. @returns ends that */
  add(follower: LivenessObserver): () => void {
    this.#followers.add(follower);
    for (const rank of this.#silent) if (follower.ranks.has(rank)) follower.silent(rank);
    this.#timer ??= this.#after(this.#options.intervalMs);
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.#rest();
    };
  }

  /** The proxy stops. */
  close(): void {
    this.#followers.clear();
    this.#rest();
  }

  /** What is read before the next look may be an answer: where the event loop stood still, no rank is to blame. */
  #after(ms: number): ReturnType<typeof setTimeout> {
    const look = () => this.#timer === timer && this.#look();
    const timer = setTimeout(() => setImmediate(look), ms);
    return timer;
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#ranks = undefined;
    // What was asked until now says nothing of a rank in the next round.
    this.#round++;
    // Of ranks that are not asked nothing is known.
    this.#silent.clear();
  }

  #look(): void {
    if (this.#followers.size === 0) return;
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
    for (const { ranks } of this.#followers) yield* ranks;
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
    const asked = this.#asked.get(rank);
    // Nobody has waited for it meanwhile if it was not looked at in the round before.
    if (asked?.round === this.#round - 1 && !this.#silent.has(rank)) {
      this.#silent.add(rank);
      this.#tell(rank, (follower) => follower.silent(rank));
    }
    if (asked !== undefined) asked.round = this.#round;
    if (asked === undefined || asked.count < MAX_ASKED) this.#ask(rank);
  }

  #ask(rank: number): void {
    const asked = this.#asked.get(rank) ?? { count: 0, round: this.#round };
    asked.count++;
    this.#asked.set(rank, asked);
    this.#options.probe(rank, {
      response: () => this.#answered(rank, asked),
      error: (error) => {
        if (error.code === "EHOSTUNREACH") this.#lost(rank, asked, error);
        // The connection was lost, or could not be had: that is no answer.
        else asked.count--;
      },
    });
  }

  #answered(rank: number, asked: PendingProbes): void {
    // One before it that is not answered by now is lost.
    if (this.#asked.get(rank) === asked) this.#asked.delete(rank);
    if (this.#silent.delete(rank)) this.#tell(rank, (follower) => follower.answers(rank));
  }

  #lost(rank: number, asked: PendingProbes, error: FluxError): void {
    if (this.#asked.get(rank) === asked) this.#asked.delete(rank);
    this.#silent.delete(rank);
    this.#tell(rank, (follower) => follower.unreachable(rank, error));
  }

  #tell(rank: number, tell: (follower: LivenessObserver) => void): void {
    for (const follower of [...this.#followers]) if (follower.ranks.has(rank)) tell(follower);
  }
}
