/** One subscription of a client to Flux events. PROTOCOL.md, "Events". */
import { FluxError } from "../../src/errors.js";
import type { Identity } from "../auth/identity.js";
import type { Broker, BrokerEvent } from "../broker/broker.js";
import { decodePayload, type JsonObject } from "../broker/payload.js";
import { errorMessage } from "../call/error-message.js";
import type { AdmittedEvents } from "../call/events-admission.js";
import type { Outbox } from "../flow/outbox.js";
import { Unread } from "../flow/unread.js";

/** The request of a subscription, and the parts of its session. */
export interface SubscriptionOptions {
  id: number;
  admitted: AdmittedEvents;
  /** The userid of the instance owner. */
  owner: number;
  outbox: Outbox;
  /** Runs a callback of the broker. */
  guard(callback: () => void): void;
  /** The client was sent the last message. */
  over(subscription: Subscription): void;
}

/** A subscription from its admission to its last message. */
export class Subscription {
  /** The number of ids that it takes. */
  readonly ids = 1;
  readonly #options: SubscriptionOptions;
  readonly #unread: Unread;
  /** The Flux user of the session: the same for all of its tokens. */
  #userid = -1;
  #over = false;
  #unsubscribe = () => {};

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#unread = new Unread(options.outbox);
  }

  get id(): number {
    return this.#options.id;
  }

  /** Subscribes at the broker. */
  begin(broker: Broker, { userid }: Identity): void {
    const { admitted, guard } = this.#options;
    this.#userid = userid;
    try {
      this.#unsubscribe = broker.subscribe(admitted.prefix, {
        event: (event) => guard(() => this.#event(event)),
        error: (error) => guard(() => this.fail(error)),
      });
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      this.fail(error);
    }
  }

  /** The session's token is this one from now on. */
  allow(identity: Identity): void {
    const refusal = this.#options.admitted.judge(identity);
    if (refusal !== undefined) this.fail(refusal);
  }

  /** Ends the subscription with an error, for the client and at the broker. */
  fail(error: FluxError): void {
    if (this.#over) return;
    const { id, admitted, outbox, over } = this.#options;
    this.#end(error.errno);
    outbox.send(errorMessage(id, { ranks: [admitted.rank] }, error));
    over(this);
  }

  /** The session is over. */
  abort(): void {
    if (!this.#over) this.#end(new FluxError("ECONNRESET").errno);
  }

  #end(errno: number): void {
    this.#over = true;
    this.#unsubscribe();
    this.#options.admitted.over(errno);
  }

  #event(event: BrokerEvent): void {
    const { id, admitted, owner } = this.#options;
    // As a broker does for a guest. The proxy's connection may be the owner's while the session is a guest's.
    const secret = event.isPrivate && this.#userid !== owner && this.#userid !== event.userid;
    if (this.#over || secret) return;
    try {
      this.#unread.send({ type: "response", id, rank: admitted.rank, payload: shown(event) });
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      this.fail(error);
    }
  }
}

/** An event as the client gets it. A payload that is not a JSON object is in `raw`, as base64. */
function shown({ topic, sequence: seq, payload }: BrokerEvent): JsonObject {
  if (payload === undefined) return { topic, seq };
  try {
    return { topic, seq, payload: decodePayload(payload) };
  } catch {
    return { topic, seq, raw: Buffer.from(payload).toString("base64") };
  }
}
