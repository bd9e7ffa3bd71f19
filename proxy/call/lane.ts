/**
 * The lane of a call to its ranks: first its request, then its input, piece by piece. A piece goes from rank to rank and is in
 * memory once for all of them. Calls take turns, and wait for the broker and for their client.
 */
import type { Broker } from "../broker/broker.js";
import { Fifo } from "../flow/fifo.js";
import type { Job, Scheduler } from "../flow/scheduler.js";
import type { RankList, RankView } from "./ranks.js";

/** The most ranks, and the most bytes, that a call sends to in one turn. */
const TURN_RANKS = 64;
const TURN_BYTES = 256 * 1024;

/** A call of at most this many ranks takes no turns: its pieces keep the order of all that its session sends. */
const FEW = 8;

/** A message to all ranks of a call. */
export interface Piece {
  /** The size for one rank. */
  readonly bytes: number;
  /** The ranks that it goes to. A rank that leaves before its turn is skipped. */
  readonly to: RankView;
  /** Sends it to a rank. @param sent to be called afterwards; a signature may delay that */
  send(rank: number, sent: () => void): void;
  /** Called when no further rank will be sent it. */
  done(): void;
}

/** The call's ranks, and everything that its sending waits for. */
export interface LaneOptions {
  ranks: RankList;
  scheduler: Scheduler;
  /** Nothing is sent while too many answers wait there for the client. */
  outbox: { readonly congested: boolean; relieved(): Promise<void> };
  /** Runs a turn, whose errors must not reach the scheduler. */
  guard(action: () => void): void;
}

/** Sends the pieces of one call in order. */
export class Lane implements Job {
  readonly #options: LaneOptions;
  readonly #pieces = new Fifo<Piece>();
  #broker: Broker | undefined;
  /** The index of the next rank of the first piece. */
  #index = 0;
  /** True while it waits for a turn, or within a turn for the broker, the client or a signature. */
  #busy = false;
  #closed = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Opens the lane, over this connection. The first piece goes before those that were pushed already. */
  start(broker: Broker, first: Piece): void {
    this.#broker = broker;
    if (this.#few) {
      sendToAll(first);
      return;
    }
    const pieces = [first, ...this.#take()];
    for (const piece of pieces) this.#pieces.push(piece);
    this.#begin();
  }

  /** Sends a piece after those that were pushed before. */
  push(piece: Piece): void {
    if (this.#few) {
      sendToAll(piece);
      return;
    }
    this.#pieces.push(piece);
    this.#begin();
  }

  /** Nothing more is sent. */
  close(): void {
    this.#closed = true;
    for (const piece of this.#take()) piece.done();
  }

  turn(): boolean {
    let more = false;
    this.#options.guard(() => {
      more = this.#turn();
    });
    return more;
  }

  #turn(): boolean {
    const { outbox } = this.#options;
    const broker = this.#broker as Broker;
    let bytes = 0;
    for (let count = 0; count < TURN_RANKS && bytes < TURN_BYTES; count++) {
      if (this.#closed || this.#next() === undefined) return this.#idle();
      if (broker.congested) return this.#wait(broker.drained());
      if (outbox.congested) return this.#wait(outbox.relieved());
      bytes += this.#pieces.first?.bytes ?? 0;
      const signed = this.#send();
      if (signed !== undefined) return this.#wait(signed);
    }
    return true;
  }

  get #few(): boolean {
    return this.#options.ranks.size <= FEW;
  }

  #begin(): void {
    if (this.#busy || this.#closed || this.#broker === undefined) return;
    this.#busy = true;
    this.#options.scheduler.add(this);
  }

  #take(): Piece[] {
    const pieces: Piece[] = [];
    for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift())
      pieces.push(piece);
    return pieces;
  }

  #idle(): false {
    this.#busy = false;
    return false;
  }

  #wait(until: Promise<void>): false {
    void until.then(() => this.#options.scheduler.add(this));
    return false;
  }

  /** The rank that is next; undefined if nothing is left to send. */
  #next(): number | undefined {
    const { ranks } = this.#options.ranks;
    for (let piece = this.#pieces.first; piece !== undefined; piece = this.#pieces.first) {
      for (; this.#index < ranks.length; this.#index++) {
        const rank = ranks[this.#index] as number;
        if (piece.to.has(rank)) return rank;
      }
      this.#index = 0;
      this.#pieces.shift();
      piece.done();
    }
    return undefined;
  }

  /** Sends the first piece to the next rank. @returns resolves when it is signed and sent; undefined if it is already */
  #send(): Promise<void> | undefined {
    const rank = this.#options.ranks.ranks[this.#index++] as number;
    let sent = false;
    let resolve = () => {};
    this.#pieces.first?.send(rank, () => {
      sent = true;
      resolve();
    });
    if (sent) return undefined;
    return new Promise((done) => {
      resolve = done;
    });
  }
}

function sendToAll(piece: Piece): void {
  let left = piece.to.size;
  const sent = () => {
    left--;
    if (left === 0) piece.done();
  };
  if (left === 0) piece.done();
  for (const rank of [...piece.to]) piece.send(rank, sent);
}
