/** One rank of a watch: what the client was told of it, and what it is to be told. */
import type { ControlMessage } from "../flow/message.js";
import type { State } from "../flow/outbox.js";
import type { PollObserver } from "./poller.js";
import { differenceOf, isFailure, type Seen, type Table } from "./seen.js";

export interface WatchedRankOptions {
  id: number;
  rank: number;
  interval: number;
  /** What the client may see of a table. @param labels globs; undefined if it may see all */
  shown(table: Table, labels: readonly string[] | undefined, asked: number): Table;
  /** It is to be told something. */
  changed(state: State): void;
  /** Runs what a poll has brought. */
  guard(callback: () => void): void;
}

export class WatchedRank implements State, PollObserver {
  readonly #options: WatchedRankOptions;
  #seen: Seen | undefined;
  #sent: Seen | undefined;
  #end: () => void = () => {};
  #labels: readonly string[] | undefined;

  constructor(options: WatchedRankOptions) {
    this.#options = options;
  }

  get interval(): number {
    return this.#options.interval;
  }

  /** What the session has started itself it may see, whatever its label; that a poll may know before we do. */
  get every(): boolean {
    return this.#labels !== undefined;
  }

  /** Follows what is polled, in place of what it followed before and has not told yet. @param labels globs; undefined if all may be shown */
  follow(labels: readonly string[] | undefined, poll: (observer: PollObserver) => () => void): void {
    const before = this.#end;
    this.#labels = labels;
    this.#seen = this.#sent;
    this.#end = poll(this);
    before();
  }

  /** Follows nothing. What is not told yet will not be: the token that it was seen by may not be the next one. */
  leave(): void {
    this.#end();
    this.#seen = this.#sent;
    this.#end = () => {};
  }

  seen(seen: Seen, asked: number): void {
    const { guard, shown, changed } = this.#options;
    guard(() => {
      this.#seen = isFailure(seen) ? seen : shown(seen, this.#labels, asked);
      changed(this);
    });
  }

  /** The errno of what was last seen; 0 if it was no failure. */
  get errno(): number {
    return isFailure(this.#seen) ? this.#seen.errno : 0;
  }

  next(): ControlMessage | undefined {
    const { id, rank } = this.#options;
    const difference = this.#seen && differenceOf(this.#sent, this.#seen);
    this.#sent = this.#seen;
    return difference && { type: "response", id, rank, payload: { ...difference } };
  }
}
