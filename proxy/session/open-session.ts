/** A session that has been welcomed: its requests, their input, and the connections to the broker they need. */
import { FluxError } from "../../src/errors.js";
import { ALL_RANKS, type DataFrame } from "../../src/protocol/frame.js";
import {
  CLOSE,
  type Fresh,
  MAX_DATA,
  ProtocolError,
  type Request,
  ranksOf,
  type SequencedClientMessage,
} from "../../src/protocol/messages.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { Admission, type AdmissionOptions } from "../call/admission.js";
import { Call, errorMessage } from "../call/call.js";
import { CallTable } from "../call/call-table.js";
import type { SendQueue } from "../call/send-queue.js";
import type { Brakes } from "../flow/brakes.js";
import type { Outbox } from "../flow/outbox.js";
import { isSigned, isWatch } from "../policy/asked.js";
import type { Polls } from "../watch/polls.js";
import { Watch } from "../watch/watch.js";
import type { BrokerPool } from "./broker-pool.js";
import type { Lease } from "./lease.js";
import type { Place } from "./place.js";

export interface OpenSessionOptions extends AdmissionOptions {
  lease: Pick<Lease, "identity">;
  broker: Broker;
  place: Place;
  pool: Pick<BrokerPool, "open">;
  outbox: Outbox;
  queue: SendQueue;
  /** Shared by all sessions. */
  brakes: Brakes;
  /** Shared by all sessions. */
  polls: Polls;
  /** Opens a further connection to the broker in the name of the client's user. */
  connectBroker(): Promise<Broker>;
  /** Runs what may find fault with the client. */
  guard(action: () => void): void;
}

/** How many ranks the watches of a session may have together. */
const MAX_WATCHED = 65_536;

/** How many of those may be signed by the client: their polls are shared with nobody. */
const MAX_SIGNED = 16;

export class OpenSession {
  readonly #options: OpenSessionOptions;
  readonly #admission: Admission;
  readonly #open = new CallTable<Call | Watch>();
  /** The connections that attaches have to themselves; undefined while one is opened. */
  readonly #attached = new Map<Call, Broker | undefined>();

  constructor(options: OpenSessionOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
  }

  /** Whether no request is open. */
  get idle(): boolean {
    return this.#open.size === 0;
  }

  /** The next message has arrived. @throws ProtocolError */
  message(message: SequencedClientMessage): void {
    switch (message.type) {
      case "request":
        this.#request(message);
        return;
      case "write":
        this.#call(message.id)?.signedInput(message);
        return;
      case "eof":
        this.#call(message.id)?.inputEof(message.stream);
        return;
      case "consumed":
        this.#call(message.id)?.consumed(message);
        return;
      case "brake":
        this.#call(message.id)?.brake(message);
        return;
      case "fresh":
        this.#fresh(message);
        return;
      case "detach":
        this.#detach(message.id);
    }
  }

  /** The next message has arrived, which is process input. @throws ProtocolError */
  data({ id, rank, stream, data }: DataFrame): void {
    if (rank !== ALL_RANKS) throw new ProtocolError(CLOSE.malformed, "input for one rank");
    if (data.length > MAX_DATA) {
      throw new ProtocolError(CLOSE.malformed, `input of more than ${MAX_DATA} bytes`);
    }
    this.#call(id)?.input(stream, data);
  }

  /** A token has followed the one before. What runs goes on, but input and watches may have to stop. */
  renewed(identity: Identity): void {
    for (const watch of this.#watches) watch.allow(identity);
    for (const call of this.#calls) {
      const refusal = this.#admission.inputRefusal(identity, call.admitted.asked);
      if (refusal !== undefined) call.forbidInput(refusal);
    }
  }

  /** The client has no connection: nobody watches. */
  detached(): void {
    for (const watch of this.#watches) watch.pause();
  }

  /** The client is there again. */
  attached(identity: Identity): void {
    for (const watch of this.#watches) watch.resume(identity);
  }

  /** The broker has gone: every rank has its last message, but for those of watches, which end with the session. */
  lost(error: FluxError): void {
    for (const watch of this.#watches) watch.pause();
    for (const call of this.#calls) call.fail(error);
  }

  /** The session is over. */
  end(): void {
    for (const open of this.#open.all()) open.abort();
    this.#options.queue.clear();
    this.#attached.clear();
    this.#open.clear();
  }

  get #calls(): Call[] {
    return this.#open.all().filter((open) => open instanceof Call);
  }

  get #watches(): Watch[] {
    return this.#open.all().filter((open) => open instanceof Watch);
  }

  /** @throws ProtocolError if `id` is not the first of its request, or of a watch */
  #call(id: number): Call | undefined {
    const open = this.#open.get(id);
    if (open instanceof Watch) throw new ProtocolError(CLOSE.malformed, `request ${id} is a watch`);
    return open;
  }

  #request(request: Request): void {
    const { lease, broker, place, outbox, queue, brakes, guard } = this.#options;
    const ranks = ranksOf(request.nodeid, place.rank, place.size);
    this.#open.check(request.id, ranks.length);
    if (isWatch(request)) {
      this.#watch(request, ranks);
      return;
    }
    const admitted = this.#admission.admit(lease.identity, request, ranks);
    if (admitted instanceof FluxError) {
      this.#refuse(request, ranks, admitted);
      return;
    }
    const call = new Call(request, admitted, {
      queue,
      outbox,
      brakes,
      ended: (ended) => this.#ended(ended),
      over: (over) => this.#open.remove(over),
      guard,
    });
    this.#open.add(call);
    if (call.kind === "attach") this.#attach(call);
    else call.start(broker);
  }

  #watch(request: Request, ranks: readonly number[]): void {
    const { lease, outbox, polls, guard } = this.#options;
    const admitted =
      this.#tooManyWatches(request, ranks.length) ??
      this.#admission.admitWatch(lease.identity, request, ranks);
    if (admitted instanceof FluxError) {
      this.#refuse(request, ranks, admitted);
      return;
    }
    const { id } = request;
    const over = (ended: Watch) => this.#open.remove(ended);
    const watch = new Watch({ id, admitted, polls, outbox, guard, over });
    this.#open.add(watch);
    watch.allow(lease.identity);
  }

  #tooManyWatches({ payload }: Request, ranks: number): FluxError | undefined {
    const watches = this.#watches;
    if (watches.reduce((sum, { size }) => sum + size, ranks) > MAX_WATCHED) {
      return new FluxError("ENOBUFS", `a session watches at most ${MAX_WATCHED} ranks`);
    }
    if (isSigned(payload) && watches.filter(({ signed }) => signed).length >= MAX_SIGNED) {
      return new FluxError("ENOBUFS", `a session signs at most ${MAX_SIGNED} watches`);
    }
    return undefined;
  }

  #fresh(message: Fresh): void {
    const { id } = message;
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (!(open instanceof Watch)) throw new ProtocolError(CLOSE.malformed, `request ${id} is no watch`);
    open.fresh(message);
  }

  #refuse({ id }: Request, ranks: readonly number[], error: FluxError): void {
    for (const rank of ranks) this.#options.outbox.send(errorMessage(id, rank, error));
  }

  #attach(call: Call): void {
    const { pool, connectBroker, guard } = this.#options;
    this.#attached.set(call, undefined);
    pool
      .open(connectBroker, () => this.#attached.has(call))
      .then(
        (broker) =>
          guard(() => {
            if (broker === undefined) return;
            this.#attached.set(call, broker);
            call.start(broker);
          }),
        (error: unknown) =>
          guard(() => {
            if (!(error instanceof FluxError)) throw error;
            call.fail(error);
          }),
      );
  }

  #detach(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (open instanceof Call && open.kind !== "attach") {
      throw new ProtocolError(CLOSE.malformed, `request ${id} is no attach and no watch`);
    }
    open.fail(new FluxError("ECANCELED", "detached"));
  }

  #ended(call: Call): void {
    call.admitted.watcher.over();
    const broker = this.#attached.get(call);
    this.#attached.delete(call);
    broker?.close();
  }
}
