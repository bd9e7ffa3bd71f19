/** The open requests of a session, their input, and the broker connections that they need. PROTOCOL.md, "Requests". */
import { FluxError } from "../../src/errors.js";
import { ALL_RANKS, type DataFrame } from "../../src/protocol/frame.js";
import { MAX_IDS } from "../../src/protocol/idset.js";
import {
  type Fresh,
  MAX_DATA,
  type Request,
  type SequencedClientMessage,
} from "../../src/protocol/messages.js";
import { malformed } from "../../src/protocol/protocol-error.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { Admission, type AdmissionOptions } from "../call/admission.js";
import { errorMessage } from "../call/error-message.js";
import { IdTable } from "../call/id-table.js";
import { RankedCall } from "../call/ranked-call.js";
import type { SendQueue } from "../call/send-queue.js";
import { type Target, targetOf } from "../call/target.js";
import { Subscription } from "../events/subscription.js";
import type { Brakes } from "../flow/brakes.js";
import { MAX_RESPONSE, type Outbox } from "../flow/outbox.js";
import type { Scheduler } from "../flow/scheduler.js";
import type { HostNames } from "../hosts/host-names.js";
import { answerHosts, isHostsRequest } from "../hosts/hosts-request.js";
import type { Liveness } from "../liveness/liveness.js";
import { isEvents, isSigned, isWatch } from "../policy/parsed-request.js";
import type { Polls } from "../watch/polls.js";
import { Watch } from "../watch/watch.js";
import type { Allowance } from "./allowances.js";
import type { BrokerInfo } from "./broker-info.js";
import { OwnConnections, type OwnConnectionsOptions } from "./own-connections.js";
import type { TokenLease } from "./token-lease.js";

/** The parts of a session and of the proxy that its requests use. */
export interface RequestTableOptions extends AdmissionOptions, OwnConnectionsOptions {
  lease: Pick<TokenLease, "identity">;
  broker: Broker;
  brokerInfo: BrokerInfo;
  hosts: HostNames;
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
}

/** The most watches of a session. */
const MAX_WATCHES = 64;

/** The most watches of a session that the client signs: each polls for itself. */
const MAX_SIGNED = 16;

/** The most subscriptions to events of a session: each event is compared with each. */
const MAX_SUBSCRIPTIONS = 64;

/** Takes the messages of a session after its `welcome`, in sequence. */
export class RequestTable {
  readonly #options: RequestTableOptions;
  readonly #admission: Admission;
  readonly #open = new IdTable<RankedCall | Watch | Subscription>();
  readonly #ownConnections: OwnConnections;

  constructor(options: RequestTableOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
    this.#ownConnections = new OwnConnections(options);
  }

  /** True if no request is open but watches, which a client begins again without a loss. */
  get idle(): boolean {
    return this.#calls.length === 0;
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

  /** The next message has arrived: process input. @throws ProtocolError */
  data({ id, rank, stream, data }: DataFrame): void {
    if (rank !== ALL_RANKS) throw malformed("input for one rank");
    if (data.length > MAX_DATA) throw malformed(`input of more than ${MAX_DATA} bytes`);
    this.#call(id)?.input(stream, data);
  }

  /** The client renewed its token. Processes run on, but the new token may forbid their input, and watches. */
  renewed(identity: Identity): void {
    for (const watch of this.#watches) watch.allow(identity);
    for (const subscription of this.#subscriptions) subscription.allow(identity);
    for (const call of this.#calls) {
      const { parsed, target } = call.admitted;
      const refusal =
        call.kind === "stream" ? this.#admission.judgeAgain(identity, parsed, target) : undefined;
      if (refusal) call.cancel(refusal);
      else call.renewed(this.#admission.inputRefusal(identity, parsed));
    }
  }

  /** The client lost its socket: watches pause. */
  disconnected(): void {
    for (const watch of this.#watches) watch.pause();
  }

  /** The client has a socket again. */
  connected(identity: Identity): void {
    for (const watch of this.#watches) watch.resume(identity);
  }

  /** The broker connection was lost. Every rank gets its last message, except those of watches, which end with the session. */
  lost(error: FluxError): void {
    for (const watch of this.#watches) watch.pause();
    for (const subscription of this.#subscriptions) subscription.fail(error);
    for (const call of this.#calls) call.fail(error);
  }

  /** The session is over. */
  end(): void {
    for (const open of this.#open.all()) open.abort();
    this.#options.queue.clear();
    this.#ownConnections.clear();
    this.#open.clear();
  }

  get #calls(): RankedCall[] {
    return this.#open.all().filter((open) => open instanceof RankedCall);
  }

  get #watches(): Watch[] {
    return this.#open.all().filter((open) => open instanceof Watch);
  }

  get #subscriptions(): Subscription[] {
    return this.#open.all().filter((open) => open instanceof Subscription);
  }

  /** @throws ProtocolError if `id` is not the first of its request, or is of a request that the proxy answers itself */
  #call(id: number): RankedCall | undefined {
    const open = this.#open.get(id);
    if (open === undefined || open instanceof RankedCall) return open;
    throw malformed(`request ${id} is ${open instanceof Watch ? "a watch" : "a subscription"}`);
  }

  #request(request: Request): void {
    const { lease, broker, brokerInfo, outbox, queue, brakes, scheduler, liveness, allowance, guard } =
      this.#options;
    if (request.nodeid === "all" && brokerInfo.size > MAX_IDS) {
      this.#open.check(request.id, 1);
      const reason = `"all" is ${brokerInfo.size} ranks, and a request goes to at most ${MAX_IDS}`;
      const target = { ranks: [brokerInfo.rank], missing: [], size: 1 };
      this.#refuse(request, target, new FluxError("EINVAL", reason));
      return;
    }
    const target = targetOf(request.nodeid, brokerInfo);
    this.#open.check(request.id, target.size);
    if (isHostsRequest(request)) {
      this.#hosts(request, target);
      return;
    }
    if (isWatch(request)) {
      this.#watch(request, target);
      return;
    }
    if (isEvents(request)) {
      this.#subscribe(request, target);
      return;
    }
    const admitted = this.#admission.admit(lease.identity, request, target);
    if (admitted instanceof FluxError) {
      this.#refuse(request, target, admitted);
      return;
    }
    const call: RankedCall = new RankedCall(request, admitted, {
      queue,
      outbox,
      brakes,
      scheduler,
      liveness,
      bytes: allowance.bytes,
      releaseRanks: (count) => allowance.ranks.give(count),
      ended: () => this.#ended(call),
      over: () => this.#open.remove(call),
      guard,
    });
    this.#open.add(call);
    // The message of a rank that does not exist may be one too many for the client: then the session is over.
    if (!call.begin() || !this.#open.has(call)) return;
    if (call.ownConnection) this.#ownConnections.start(call);
    else call.start(broker);
  }

  /** Answered at once, so that its ids are never in use. */
  #hosts(request: Request, target: Target): void {
    const { lease, hosts, brokerInfo, outbox, audit } = this.#options;
    const payload = answerHosts(hosts, lease.identity, request, audit);
    if (payload instanceof FluxError) {
      this.#refuse(request, target, payload);
      return;
    }
    const { rank } = brokerInfo;
    const response = { type: "response", id: request.id, rank, payload: { ...payload } } as const;
    if (outbox.sendWithin(MAX_RESPONSE, response)) return;
    this.#refuse(request, target, new FluxError("EMSGSIZE", `the names are over ${MAX_RESPONSE} characters`));
  }

  #watch(request: Request, target: Target): void {
    const { lease, outbox, polls, scheduler, allowance, guard } = this.#options;
    const watches = this.#watches;
    const watched = watches.reduce((sum, watch) => sum + watch.size, 0);
    const full = this.#tooManyWatches(isSigned(request.payload));
    const admitted =
      full === undefined
        ? this.#admission.admitWatch(lease.identity, request, target, watched)
        : new FluxError("ENOBUFS", full);
    if (admitted instanceof FluxError) {
      this.#refuse(request, target, admitted);
      return;
    }
    const { id } = request;
    const releaseRanks = (count: number) => allowance.ranks.give(count);
    const over = (ended: Watch) => this.#open.remove(ended);
    const watch = new Watch({ id, admitted, polls, outbox, scheduler, guard, releaseRanks, over });
    this.#open.add(watch);
    watch.begin(lease.identity);
  }

  #subscribe(request: Request, target: Target): void {
    const { lease, broker, brokerInfo, outbox, allowance, guard } = this.#options;
    const admitted =
      this.#subscriptions.length < MAX_SUBSCRIPTIONS
        ? this.#admission.admitEvents(lease.identity, request, target)
        : new FluxError("ENOBUFS", `a session may have ${MAX_SUBSCRIPTIONS} subscriptions to events`);
    if (admitted instanceof FluxError) {
      this.#refuse(request, target, admitted);
      return;
    }
    const { id } = request;
    const over = (ended: Subscription) => {
      allowance.ranks.give(1);
      this.#open.remove(ended);
    };
    const subscription = new Subscription({ id, admitted, owner: brokerInfo.owner, outbox, guard, over });
    this.#open.add(subscription);
    subscription.begin(broker, lease.identity);
  }

  /** The limit that one more watch would exceed. Each answer of a rank is compared for each of its watches, in one turn. */
  #tooManyWatches(signed: boolean): string | undefined {
    const watches = this.#watches;
    if (watches.length >= MAX_WATCHES) return `a session may have ${MAX_WATCHES} watches`;
    const full = signed && watches.filter((watch) => watch.signed).length >= MAX_SIGNED;
    return full ? `a session signs at most ${MAX_SIGNED} watches` : undefined;
  }

  #fresh(message: Fresh): void {
    const { id } = message;
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (!(open instanceof Watch)) throw malformed(`request ${id} is no watch`);
    open.fresh(message);
  }

  #refuse({ id }: Request, target: Target, error: FluxError): void {
    this.#options.outbox.send(errorMessage(id, target, error));
  }

  #detach(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    const canceled = new FluxError("ECANCELED", "detached");
    if (!(open instanceof RankedCall) || open.kind === "attach") open.fail(canceled);
    else if (open.kind === "stream") open.cancel(canceled);
    else throw malformed(`request ${id} is no attach, no watch and no stream`);
  }

  #ended(call: RankedCall): void {
    call.admitted.monitor.over();
    this.#ownConnections.ended(call);
  }
}
