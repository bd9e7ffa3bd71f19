/** One watch of a client, over all its ranks. PROTOCOL.md, "Watching". */
import { FluxError } from "../../src/errors.js";
import { CLOSE, type Fresh, ProtocolError } from "../../src/protocol/messages.js";
import type { Identity } from "../auth/identity.js";
import { errorMessage } from "../call/call.js";
import type { AdmittedWatch } from "../call/watch-admission.js";
import type { Outbox } from "../flow/outbox.js";
import { SignedError } from "../policy/signed.js";
import { ClientSignature, type PollSigner, proxyPolls } from "./poll-signer.js";
import type { Polls } from "./polls.js";
import type { Table } from "./seen.js";
import { WatchedRank } from "./watched-rank.js";

export interface WatchOptions {
  id: number;
  admitted: AdmittedWatch;
  polls: Polls;
  outbox: Outbox;
  /** Runs what a poll has brought. */
  guard(callback: () => void): void;
  /** The client was sent every last message: the ids are free. */
  over(watch: Watch): void;
}

export class Watch {
  readonly #options: WatchOptions;
  /** Those that have no last message. */
  readonly #ranks = new Map<number, WatchedRank>();
  /** Undefined unless the client signs the polls. */
  readonly #signature: ClientSignature | undefined;
  /** Undefined if the polls are not signed. */
  readonly #signer: PollSigner | undefined;
  #errno = 0;
  /** Whether it is certain that the ranks that are asked are those that answer. */
  #pinned = false;
  /** Whether somebody is there to see it. */
  #watching = true;

  constructor(options: WatchOptions) {
    const { id, admitted, outbox, guard } = options;
    this.#options = options;
    const { service, signed, signer } = admitted;
    if (signed !== undefined) {
      const stale = () => guard(() => outbox.send({ type: "stale", id }));
      this.#signature = new ClientSignature(`${service}.list`, signed.userid, signed.signature, stale);
    }
    this.#signer = this.#signature ?? (signer && proxyPolls(signer));
    for (const rank of admitted.ranks) {
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

  /** How many ranks it has. */
  get size(): number {
    return this.#options.admitted.ranks.length;
  }

  /** Whether the client signs its polls. */
  get signed(): boolean {
    return this.#signature !== undefined;
  }

  /** All ids that it takes: id to id + ranks - 1. */
  get ids(): Iterable<number> {
    return this.#options.admitted.ranks.map((_, i) => this.id + i);
  }

  /** This token it is now. What it does not allow is over; what it does is shown as it allows. */
  allow(identity: Identity): void {
    const denials = new Map<string, number[]>();
    for (const [rank, watched] of this.#ranks) {
      const verdict = this.#options.admitted.judge(identity, rank);
      if (verdict.allowed) {
        this.#follow(identity, rank, watched, verdict.labels);
        continue;
      }
      const ranks = denials.get(verdict.reason) ?? [];
      denials.set(verdict.reason, ranks);
      ranks.push(rank);
    }
    for (const [reason, ranks] of denials) {
      const error = new FluxError("EPERM", reason);
      this.#options.admitted.refused(ranks, error);
      for (const rank of ranks) this.#fail(rank, error);
    }
  }

  /** The client has signed once more. @throws ProtocolError if the signature is not of what the watch asks for */
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

  /** Nobody is there to see it: nothing is asked for it until {@link allow}. */
  pause(): void {
    this.#watching = false;
    for (const watched of this.#ranks.values()) watched.leave();
  }

  /** Somebody is there again. */
  resume(identity: Identity): void {
    this.#watching = true;
    this.allow(identity);
  }

  /** Ends every rank that is not over with an error. */
  fail(error: FluxError): void {
    for (const rank of [...this.#ranks.keys()]) this.#fail(rank, error);
  }

  /** The session is over. */
  abort(): void {
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
    this.#pinned = admitted.pinned(identity);
    const polled = { userid, service, rank, pinned: this.#pinned, signer };
    watched.follow(labels, (observer) => polls.watch(polled, observer));
  }

  #shown(rank: number, table: Table, labels: readonly string[] | undefined, asked: number): Table {
    if (!this.#pinned) return table;
    const shown = this.#options.admitted.shown(rank, [...table.rows.values()], labels, asked);
    return labels === undefined ? table : { ...table, rows: new Map(shown.map((row) => [row.pid, row])) };
  }

  #fail(rank: number, error: FluxError): void {
    const { id, outbox, over, admitted } = this.#options;
    const watched = this.#ranks.get(rank);
    if (watched === undefined) return;
    this.#ranks.delete(rank);
    this.#leave(watched);
    this.#errno ||= error.errno;
    outbox.send(errorMessage(id, rank, error));
    if (this.#ranks.size > 0) return;
    this.#signature?.close();
    admitted.over(this.#errno);
    over(this);
  }

  #leave(watched: WatchedRank): void {
    this.#errno ||= watched.errno;
    watched.leave();
    this.#options.outbox.forget(watched);
  }
}
