/** One rank of a watch: the snapshot that the client was sent last, and the one to be sent next. */
import type { ControlMessage } from "../flow/message.js";
import type { State } from "../flow/states.js";
import type { PollObserver } from "./poller.js";
import { differenceOf, isFailure, type RankSnapshot, type Table } from "./rank-snapshot.js";

/** The rank, and the session that watches it. */
export interface WatchedRankOptions {
  id: number;
  rank: number;
  interval: number;
  /** The part of a table that the client may see. @param labels globs; undefined if it may see all */
  shown(table: Table, labels: readonly string[] | undefined, requestedAt: number): Table;
  /** A snapshot is to be sent. */
  changed(state: State): void;
  /** Runs the callback of a poll. */
  guard(callback: () => void): void;
}

/** The snapshots of one rank for one watch. */
export class WatchedRank implements State, PollObserver {
  readonly #options: WatchedRankOptions;
  /** The latest snapshot that the client may see. */
  #next: RankSnapshot | undefined;
  /** The snapshot that the client has. */
  #sent: RankSnapshot | undefined;
  #end: () => void = () => {};
  #labels: readonly string[] | undefined;

  constructor(options: WatchedRankOptions) {
    this.#options = options;
  }

  get interval(): number {
    return this.#options.interval;
  }

  /** True with labels: the session may see its own processes whatever their label, and a poll may show one before its start is answered. */
  get every(): boolean {
    return this.#labels !== undefined;
  }

  /** Follows a poller, in place of the one before, whose unsent snapshot is dropped. @param labels globs; undefined if all may be shown */
  follow(labels: readonly string[] | undefined, poll: (observer: PollObserver) => () => void): void {
    const before = this.#end;
    this.#labels = labels;
    this.#next = this.#sent;
    this.#end = poll(this);
    before();
  }

  /** Follows no poller. An unsent snapshot is dropped, since the next token may not allow it. */
  leave(): void {
    this.#end();
    this.#next = this.#sent;
    this.#end = () => {};
  }

  snapshot(snapshot: RankSnapshot, requestedAt: number): void {
    const { guard, shown, changed } = this.#options;
    guard(() => {
      this.#next = isFailure(snapshot) ? snapshot : shown(snapshot, this.#labels, requestedAt);
      changed(this);
    });
  }

  /** The errno of the latest snapshot; 0 if it is no failure. */
  get errno(): number {
    return isFailure(this.#next) ? this.#next.errno : 0;
  }

  next(): ControlMessage | undefined {
    const { id, rank } = this.#options;
    const difference = this.#next && differenceOf(this.#sent, this.#next);
    this.#sent = this.#next;
    return difference && { type: "response", id, rank, payload: { ...difference } };
  }
}
