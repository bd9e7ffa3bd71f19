/** One watch of a client, over all its ranks. PROTOCOL.md, "Watching". */
import { FluxError } from "../../src/errors.js";
import type { IdRange } from "../../src/protocol/idset.js";
import type { Fresh } from "../../src/protocol/messages.js";
import { CLOSE, ProtocolError } from "../../src/protocol/protocol-error.js";
import type { Identity } from "../auth/identity.js";
import { joined, partsOf } from "../auth/rank-ranges.js";
import { errorMessage } from "../call/error-message.js";
import type { TargetRanks } from "../call/target.js";
import type { AdmittedWatch } from "../call/watch-admission.js";
import type { Outbox } from "../flow/outbox.js";
import type { Job, Scheduler } from "../flow/scheduler.js";
import { SignedError } from "../policy/signed.js";
import { ClientSignature, type PollSigner, proxyPolls } from "./poll-signer.js";
import type { Polls } from "./polls.js";
import type { Table } from "./rank-snapshot.js";
import { WatchedRank } from "./watched-rank.js";

interface Denial {
  rank: number;
  reason: string;
}

/** The request of a watch, and the parts of its session. */
export interface WatchOptions {
  id: number;
  admitted: AdmittedWatch;
  polls: Polls;
  outbox: Outbox;
  /** Gives turns to a watch of many ranks. */
  scheduler: Scheduler;
  /** Runs the callback of a poll. */
  guard(callback: () => void): void;
  /** The client was sent the last message of that many ranks. */
  releaseRanks(count: number): void;
  /** The client was sent every last message: the ids are free. */
  over(watch: Watch): void;
}

/** The most ranks that one turn begins to follow. */
const TURN_RANKS = 64;

const UNREACHABLE = new FluxError("EHOSTUNREACH", "no such rank");

/** A watch from its admission to its last message. */
export class Watch implements Job {
  readonly #options: WatchOptions;
  /** The ranks without a last message. */
  readonly #ranks = new Map<number, WatchedRank>();
  /** Undefined unless the client signs the polls. */
  readonly #signature: ClientSignature | undefined;
  /** Undefined if the polls are not signed. */
  readonly #signer: PollSigner | undefined;
  #errno = 0;
  /** True if the ranks that are polled are certainly those that answer. */
  #answererCertain = false;
  /** True if the session has a socket. */
  #watching = true;
  #over = false;
  #identity: Identity | undefined;
  /** The ranks that the token has not been checked for, and that are then followed. */
  #pending: Iterator<[number, WatchedRank]> | undefined;

  constructor(options: WatchOptions) {
    const { id, admitted, outbox, guard } = options;
    this.#options = options;
    const { service, signed, signer } = admitted;
    if (signed !== undefined) {
      const stale = () => guard(() => outbox.send({ type: "stale", id }));
      this.#signature = new ClientSignature(`${service}.list`, signed.userid, signed.signature, stale);
    }
    this.#signer = this.#signature ?? (signer && proxyPolls(signer));
    for (const rank of admitted.target.ranks) {
      const watched = new WatchedRank({
        id,
        rank,
        interval: admitted.interval,
        shown: (...table) => this.#shown(rank, ...table),
        changed: (state) => outbox.changed(state),
        guard,
      });
      this.#ranks.set(rank, watched);
    }
  }

  get id(): number {
    return this.#options.id;
  }

  /** The number of its ranks. */
  get size(): number {
    return this.#options.admitted.target.ranks.length;
  }

  /** True if the client signs its polls. */
  get signed(): boolean {
    return this.#signature !== undefined;
  }

  /** The number of ids that it takes, from {@link id} on: one for each rank, also for one that does not exist. */
  get ids(): number {
    return this.#options.admitted.target.size;
  }

  /** Ends the ranks that do not exist or that the token does not allow, and follows the others. */
  begin(identity: Identity): void {
    this.#endMissing(identity);
    this.allow(identity);
    this.#finish();
  }

  /** The session's token is this one from now on. Ranks that it does not allow end; of the others it limits the processes. */
  allow(identity: Identity): void {
    this.#identity = identity;
    const waiting = this.#pending !== undefined;
    this.#pending = this.#ranks.entries();
    if (this.#ranks.size <= TURN_RANKS) {
      this.#allowSome();
      this.#pending = undefined;
      return;
    }
    // Until a rank is checked against this token, the token before shows nothing of it.
    for (const watched of this.#ranks.values()) watched.leave();
    if (!waiting) this.#options.scheduler.add(this);
  }

  /** Follows some more ranks. */
  turn(): boolean {
    this.#options.guard(() => this.#allowSome());
    return this.#pending !== undefined;
  }

  #allowSome(): void {
    const identity = this.#identity as Identity;
    const denied: Denial[] = [];
    for (let count = 0; count < TURN_RANKS; count++) {
      const next = this.#pending?.next();
      if (next === undefined || next.done) {
        this.#pending = undefined;
        break;
      }
      const [rank, watched] = next.value;
      const verdict = this.#options.admitted.judge(identity, { ranks: [rank], missing: [] });
      if (verdict.allowed) this.#follow(identity, rank, watched, verdict.labels);
      else denied.push({ rank, reason: verdict.reason });
    }
    this.#refuse(denied);
  }

  /** Ends the ranks that do not exist, each as the token judges it, in as few messages as there are answers. */
  #endMissing(identity: Identity): void {
    const { admitted } = this.#options;
    const { details = [] } = identity.permissions;
    const limits = details.flatMap(({ ranks }) => ranks ?? []);
    const unreachable: IdRange[] = [];
    const denied = new Map<string, IdRange[]>();
    for (const part of partsOf(admitted.target.missing, limits)) {
      const verdict = admitted.judge(identity, { ranks: [], missing: [part] });
      if (verdict.allowed) {
        unreachable.push(part);
        continue;
      }
      const parts = denied.get(verdict.reason) ?? [];
      denied.set(verdict.reason, parts);
      parts.push(part);
    }
    for (const [reason, parts] of denied) this.#deny({ ranks: [], missing: joined(parts) }, reason);
    if (unreachable.length > 0) this.#end({ ranks: [], missing: joined(unreachable) }, UNREACHABLE);
  }

  #deny(ranks: TargetRanks, reason: string): void {
    const error = new FluxError("EPERM", reason);
    this.#options.admitted.refused(ranks, error);
    this.#end(ranks, error);
  }

  #refuse(denials: readonly Denial[]): void {
    const byReason = new Map<string, number[]>();
    for (const { rank, reason } of denials) {
      const ranks = byReason.get(reason) ?? [];
      byReason.set(reason, ranks);
      ranks.push(rank);
    }
    for (const [reason, ranks] of byReason) this.#deny({ ranks, missing: [] }, reason);
  }

  /** The client has signed again. @throws ProtocolError if it signed anything but this list */
  fresh({ signature }: Fresh): void {
    const malformed = (what: string) => new ProtocolError(CLOSE.malformed, `fresh: ${what}`);
    if (this.#signature === undefined) throw malformed("the watch is not signed by the client");
    try {
      this.#signature.renew(signature);
    } catch (cause) {
      if (!(cause instanceof SignedError)) throw cause;
      throw malformed(cause.message);
    }
  }

  /** The session has no socket: no rank is polled until {@link resume}. */
  pause(): void {
    this.#watching = false;
    this.#pending = undefined;
    for (const watched of this.#ranks.values()) watched.leave();
  }

  /** The session has a socket again. */
  resume(identity: Identity): void {
    this.#watching = true;
    this.allow(identity);
  }

  /** Ends every rank that is not over with an error. */
  fail(error: FluxError): void {
    this.#pending = undefined;
    const ranks = [...this.#ranks.keys()];
    if (ranks.length > 0) this.#end({ ranks }, error);
  }

  /** The session is over. */
  abort(): void {
    this.#pending = undefined;
    for (const watched of this.#ranks.values()) this.#leave(watched);
    this.#ranks.clear();
    this.#signature?.close();
    this.#options.admitted.over(this.#errno);
  }

  #follow(identity: Identity, rank: number, watched: WatchedRank, labels?: readonly string[]): void {
    if (!this.#watching) return;
    const { admitted, polls } = this.#options;
    const { service } = admitted;
    const signer = this.#signer;
    const { userid } = identity;
    this.#answererCertain = admitted.answererCertain(identity);
    const polled = { userid, service, rank, answererCertain: this.#answererCertain, signer };
    watched.follow(labels, (observer) => polls.watch(polled, observer));
  }

  #shown(rank: number, table: Table, labels: readonly string[] | undefined, requestedAt: number): Table {
    if (!this.#answererCertain) return table;
    const shown = this.#options.admitted.shown(rank, [...table.rows.values()], labels, requestedAt);
    return labels === undefined ? table : { ...table, rows: new Map(shown.map((row) => [row.pid, row])) };
  }

  /** The last message of some ranks, which may not exist. */
  #end(target: Parameters<typeof errorMessage>[1], error: FluxError): void {
    const { id, outbox, releaseRanks } = this.#options;
    let count = 0;
    for (const rank of target.ranks) {
      const watched = this.#ranks.get(rank);
      if (watched === undefined) continue;
      this.#ranks.delete(rank);
      this.#leave(watched);
      count++;
    }
    this.#errno ||= error.errno;
    outbox.send(errorMessage(id, target, error));
    releaseRanks(count);
    this.#finish();
  }

  #finish(): void {
    if (this.#ranks.size > 0 || this.#over) return;
    this.#over = true;
    this.#signature?.close();
    const { admitted, over } = this.#options;
    admitted.over(this.#errno);
    over(this);
  }

  #leave(watched: WatchedRank): void {
    this.#errno ||= watched.errno;
    watched.leave();
    this.#options.outbox.forget(watched);
  }
}
