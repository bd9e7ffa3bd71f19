/** A session that has been welcomed: its requests, their input, and the connections to the broker they need. */
import { FluxError } from "../../src/errors.js";
import { ALL_RANKS, type DataFrame } from "../../src/protocol/frame.js";
import {
  CLOSE,
  type ClientMessage,
  MAX_DATA,
  ProtocolError,
  type Request,
  ranksOf,
} from "../../src/protocol/messages.js";
import { Sequence } from "../../src/protocol/sequence.js";
import type { Identity } from "../auth/identity.js";
import type { Broker } from "../broker/broker.js";
import { Admission, type AdmissionOptions } from "../call/admission.js";
import { Call, errorMessage } from "../call/call.js";
import { CallTable } from "../call/call-table.js";
import type { SendQueue } from "../call/send-queue.js";
import type { Outbox } from "../flow/outbox.js";
import type { BrokerPool } from "./broker-pool.js";
import type { Lease } from "./lease.js";
import type { Place } from "./opening.js";

export interface OpenSessionOptions extends AdmissionOptions {
  lease: Lease;
  broker: Broker;
  place: Place;
  pool: BrokerPool;
  outbox: Outbox;
  queue: SendQueue;
  /** Opens a further connection to the broker in the name of the client's user. */
  connectBroker(): Promise<Broker>;
  /** Runs what may find fault with the client. */
  guard(action: () => void): void;
}

export class OpenSession {
  readonly #options: OpenSessionOptions;
  readonly #admission: Admission;
  readonly #received = new Sequence();
  readonly #calls = new CallTable();
  /** The connections that attaches have to themselves; undefined while one is opened. */
  readonly #attached = new Map<Call, Broker | undefined>();

  constructor(options: OpenSessionOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
  }

  /** A message has arrived. @throws ProtocolError */
  message(message: ClientMessage): void {
    const { lease, outbox, pool } = this.#options;
    if (!lease.check()) return;
    if (message.type !== "ack" && message.type !== "token") this.#received.receive(message.seq);
    switch (message.type) {
      case "ack":
        outbox.ack(message.seq);
        return;
      case "token":
        lease.renew(message.token);
        return;
      case "request":
        this.#request(message);
        break;
      case "write":
        this.#calls.get(message.id)?.signedInput(message);
        break;
      case "eof":
        this.#calls.get(message.id)?.inputEof(message.stream);
        break;
      case "detach":
        this.#detach(message.id);
    }
    pool.throttle();
  }

  /** Process input has arrived. @throws ProtocolError */
  data({ seq, id, rank, stream, data }: DataFrame): void {
    const { lease, pool } = this.#options;
    if (!lease.check()) return;
    this.#received.receive(seq);
    if (rank !== ALL_RANKS) throw new ProtocolError(CLOSE.malformed, "input for one rank");
    if (data.length > MAX_DATA) {
      throw new ProtocolError(CLOSE.malformed, `input of more than ${MAX_DATA} bytes`);
    }
    this.#calls.get(id)?.input(stream, data);
    pool.throttle();
  }

  /** A token has followed the one before. What runs goes on, but input may have to stop. */
  renewed(identity: Identity): void {
    for (const call of this.#calls.all()) {
      const refusal = this.#admission.inputRefusal(identity, call.admitted.asked);
      if (refusal !== undefined) call.forbidInput(refusal);
    }
  }

  /** The broker has gone: every rank has its last message. */
  lost(error: FluxError): void {
    for (const call of this.#calls.all()) call.fail(error);
  }

  /** The session is over. */
  end(): void {
    for (const call of this.#calls.all()) call.admitted.watcher.abort();
    this.#options.lease.end();
    this.#options.queue.clear();
    this.#attached.clear();
    this.#calls.clear();
  }

  #request(request: Request): void {
    const { lease, broker, place, outbox, queue, guard } = this.#options;
    const ranks = ranksOf(request.nodeid, place.rank, place.size);
    this.#calls.check(request.id, ranks.length);
    const admitted = this.#admission.admit(lease.identity, request, ranks);
    if (admitted instanceof FluxError) {
      for (const rank of ranks) outbox.send(errorMessage(request.id, rank, admitted));
      return;
    }
    const call = new Call(request, admitted, {
      queue,
      emit: (message) => outbox.send(message),
      over: (over) => this.#over(over),
      guard,
    });
    this.#calls.add(call);
    if (call.kind === "attach") this.#attach(call);
    else call.start(broker);
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
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (call.kind !== "attach") throw new ProtocolError(CLOSE.malformed, `request ${id} is no attach`);
    call.fail(new FluxError("ECANCELED", "detached"));
  }

  #over(call: Call): void {
    call.admitted.watcher.over();
    this.#calls.remove(call);
    const broker = this.#attached.get(call);
    this.#attached.delete(call);
    broker?.close();
  }
}
