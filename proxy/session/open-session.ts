/** A session that has been welcomed: its requests, their input, and the connections to the broker they need. */
import { FluxError } from "../../src/errors.js";
import { ALL_RANKS, type DataFrame } from "../../src/protocol/frame.js";
import { MAX_IDS } from "../../src/protocol/idset.js";
import {
  CLOSE,
  type Fresh,
  MAX_DATA,
  ProtocolError,
  type Request,
  type SequencedClientMessage,
} from "../../src/protocol/messages.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { Admission, type AdmissionOptions } from "../call/admission.js";
import { Call, errorMessage } from "../call/call.js";
import { CallTable } from "../call/call-table.js";
import type { SendQueue } from "../call/send-queue.js";
import { type Target, targetOf } from "../call/target.js";
import type { Brakes } from "../flow/brakes.js";
import type { Outbox } from "../flow/outbox.js";
import type { Scheduler } from "../flow/scheduler.js";
import type { Liveness } from "../liveness/liveness.js";
import { isSigned, isWatch } from "../policy/asked.js";
import type { Polls } from "../watch/polls.js";
import { Watch } from "../watch/watch.js";
import type { Allowance } from "./allowances.js";
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
  /** Shared by all sessions. */
  scheduler: Scheduler;
  /** Shared by all sessions. */
  liveness: Pick<Liveness, "add">;
  allowance: Allowance;
  /** Opens a further connection to the broker in the name of the client's user. */
  connectBroker(): Promise<Broker>;
  /** Runs what may find fault with the client. */
  guard(action: () => void): void;
}

/** How many watches of a session the client may sign: their polls are shared with nobody. */
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
      call.renewed(this.#admission.inputRefusal(identity, call.admitted.asked));
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
    const { lease, broker, place, outbox, queue, brakes, scheduler, liveness, allowance, guard } =
      this.#options;
    if (request.nodeid === "all" && place.size > MAX_IDS) {
      this.#open.check(request.id, 1);
      const reason = `"all" is ${place.size} ranks, and a request goes to at most ${MAX_IDS}`;
      const target = { ranks: [place.rank], missing: [], size: 1 };
      this.#refuse(request, target, new FluxError("EINVAL", reason));
      return;
    }
    const target = targetOf(request.nodeid, place);
    this.#open.check(request.id, target.size);
    if (isWatch(request)) {
      this.#watch(request, target);
      return;
    }
    const admitted = this.#admission.admit(lease.identity, request, target);
    if (admitted instanceof FluxError) {
      this.#refuse(request, target, admitted);
      return;
    }
    const call = new Call(request, admitted, {
      queue,
      outbox,
      brakes,
      scheduler,
      liveness,
      bytes: allowance.bytes,
      said: (count) => allowance.ranks.give(count),
      ended: (ended) => this.#ended(ended),
      over: (over) => this.#open.remove(over),
      guard,
    });
    this.#open.add(call);
    if (!call.begin()) return;
    if (call.kind === "attach") this.#attach(call);
    else call.start(broker);
  }

  #watch(request: Request, target: Target): void {
    const { lease, outbox, polls, scheduler, allowance, guard } = this.#options;
    const watches = this.#watches;
    const watched = watches.reduce((sum, watch) => sum + watch.size, 0);
    const tooManySigned =
      isSigned(request.payload) && watches.filter(({ signed }) => signed).length >= MAX_SIGNED;
    const admitted = tooManySigned
      ? new FluxError("ENOBUFS", `a session signs at most ${MAX_SIGNED} watches`)
      : this.#admission.admitWatch(lease.identity, request, target, watched);
    if (admitted instanceof FluxError) {
      this.#refuse(request, target, admitted);
      return;
    }
    const { id } = request;
    const said = (count: number) => allowance.ranks.give(count);
    const over = (ended: Watch) => this.#open.remove(ended);
    const watch = new Watch({ id, admitted, polls, outbox, scheduler, guard, said, over });
    this.#open.add(watch);
    watch.begin(lease.identity);
  }

  #fresh(message: Fresh): void {
    const { id } = message;
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (!(open instanceof Watch)) throw new ProtocolError(CLOSE.malformed, `request ${id} is no watch`);
    open.fresh(message);
  }

  #refuse({ id }: Request, target: Target, error: FluxError): void {
    this.#options.outbox.send(errorMessage(id, target, error));
  }

  #attach(call: Call): void {
    const { pool, allowance, connectBroker, guard } = this.#options;
    const refusal = allowance.attaches.take(1);
    if (refusal !== undefined) {
      call.fail(new FluxError("EMFILE", refusal));
      return;
    }
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
    if (this.#attached.delete(call)) this.#options.allowance.attaches.give(1);
    broker?.close();
  }
}
