/**
 * The state of each rank of a call. A call may have 65,536 ranks, so a state is one byte, and none while all ranks are live.
 *
 * | state          | the broker may still answer | the last message to the client        |
 * | -------------- | --------------------------- | ------------------------------------- |
 * | `live`         | yes                         | not decided                           |
 * | `flushing`     | yes, nothing is passed on   | waits behind the output of the rank   |
 * | `ignored`      | yes, nothing is passed on   | sent                                  |
 * | `flushingLate` | yes, the proxy gave it up   | waits behind the output of the rank   |
 * | `late`         | yes, the proxy gave it up   | sent                                  |
 * | `draining`     | no                          | waits behind the output of the rank   |
 * | `over`         | no                          | sent                                  |
 *
 * ```
 *        decide              sent             ended
 * live ---------> flushing ---------> ignored -----> over
 *   |             ended |                             ^ ^
 *   |                   v            sent             | |
 *   |                draining ------------------------+ |
 *   |             ended ^                               |
 *   | giveUp            |     sent             ended    |
 *   +------------> flushingLate ------> late -----------+
 * ```
 *
 * `ignored` and `late` differ in the allowance: a rank that was given up stays in its client's account until the broker
 * answers, so that the requests which a client leaves unanswered have a bound.
 */
import type { RankList, RankView } from "./ranks.js";

const STATES = ["live", "flushing", "ignored", "flushingLate", "late", "draining", "over"] as const;

/** A state of the table above. */
export type RankState = (typeof STATES)[number];

const TRANSITIONS = {
  /** The last message is decided. */
  decide: { live: "flushing" },
  /** The last message is decided, because the rank did not answer. */
  giveUp: { live: "flushingLate" },
  /** The client was sent the last message. */
  sent: { flushing: "ignored", flushingLate: "late", draining: "over" },
  /** The broker ended the rank, or lost its connection. */
  ended: { flushing: "draining", ignored: "over", flushingLate: "draining", late: "over" },
} as const satisfies Record<string, Partial<Record<RankState, RankState>>>;

/** An event that changes a rank's state. */
export type RankEvent = keyof typeof TRANSITIONS;

/** The states of all ranks of one call. */
export class RankStates {
  readonly #list: RankList;
  /** By index in the list, an index into STATES. Undefined while every rank is live. */
  #codes: Uint8Array | undefined;
  /** The number of ranks in each state, in the order of STATES. */
  readonly #counts: number[];

  constructor(list: RankList) {
    this.#list = list;
    this.#counts = STATES.map((state) => (state === "live" ? list.size : 0));
  }

  /** The state of a rank; undefined if the call does not have the rank. */
  get(rank: number): RankState | undefined {
    const index = this.#list.indexOf(rank);
    return index < 0 ? undefined : STATES[this.#code(index)];
  }

  /** Moves a rank to its next state. @returns that state; undefined if `event` changes nothing in the present one */
  move(rank: number, event: RankEvent): RankState | undefined {
    const index = this.#list.indexOf(rank);
    if (index < 0) return undefined;
    const before = this.#code(index);
    const transitions: Partial<Record<RankState, RankState>> = TRANSITIONS[event];
    const next = transitions[STATES[before] as RankState];
    if (next === undefined) return undefined;
    const after = STATES.indexOf(next);
    this.#codes ??= new Uint8Array(this.#list.size);
    this.#codes[index] = after;
    (this.#counts[before] as number)--;
    (this.#counts[after] as number)++;
    return next;
  }

  /** The ranks that are in one of `states`, at any time. */
  view(...states: readonly RankState[]): RankView {
    const codes = states.map((state) => STATES.indexOf(state));
    const mask = codes.reduce((bits, code) => bits | (1 << code), 0);
    const [list, counts] = [this.#list, this.#counts];
    const isIn = (index: number) => index >= 0 && ((1 << this.#code(index)) & mask) !== 0;
    return {
      get size() {
        return codes.reduce((sum, code) => sum + (counts[code] as number), 0);
      },
      has: (rank) => isIn(list.indexOf(rank)),
      *[Symbol.iterator]() {
        for (const [index, rank] of list.ranks.entries()) if (isIn(index)) yield rank;
      },
    };
  }

  #code(index: number): number {
    return this.#codes?.[index] ?? 0;
  }
}
