/** A session that has been welcomed: its requests, their input, and the connections to the broker they need. */
import { FluxError } from "../../src/errors.js";
import { ALL_RANKS, type DataFrame } from "../../src/protocol/frame.js";
import {
  CLOSE,
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
  /** Opens a further connection to the broker in the name of the client's user. */
  connectBroker(): Promise<Broker>;
  /** Runs what may find fault with the client. */
  guard(action: () => void): void;
}

export class OpenSession {
  readonly #options: OpenSessionOptions;
  readonly #admission: Admission;
  readonly #calls = new CallTable();
  /** The connections that attaches have to themselves; undefined while one is opened. */
  readonly #attached = new Map<Call, Broker | undefined>();

  constructor(options: OpenSessionOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
  }

  /** Whether no request is open. */
  get idle(): boolean {
    return this.#calls.size === 0;
  }

  /** The next message has arrived. @throws ProtocolError */
  message(message: SequencedClientMessage): void {
    switch (message.type) {
      case "request":
        this.#request(message);
        return;
      case "write":
        this.#calls.get(message.id)?.signedInput(message);
        return;
      case "eof":
        this.#calls.get(message.id)?.inputEof(message.stream);
        return;
      case "consumed":
        this.#calls.get(message.id)?.consumed(message);
        return;
      case "brake":
        this.#calls.get(message.id)?.brake(message);
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
    this.#calls.get(id)?.input(stream, data);
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
    for (const call of this.#calls.all()) call.abort();
    this.#options.queue.clear();
    this.#attached.clear();
    this.#calls.clear();
  }

  #request(request: Request): void {
    const { lease, broker, place, outbox, queue, brakes, guard } = this.#options;
    const ranks = ranksOf(request.nodeid, place.rank, place.size);
    this.#calls.check(request.id, ranks.length);
    const admitted = this.#admission.admit(lease.identity, request, ranks);
    if (admitted instanceof FluxError) {
      for (const rank of ranks) outbox.send(errorMessage(request.id, rank, admitted));
      return;
    }
    const call = new Call(request, admitted, {
      queue,
      outbox,
      brakes,
      ended: (ended) => this.#ended(ended),
      over: (over) => this.#calls.remove(over),
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

  #ended(call: Call): void {
    call.admitted.watcher.over();
    const broker = this.#attached.get(call);
    this.#attached.delete(call);
    broker?.close();
  }
}
