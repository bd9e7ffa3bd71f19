/** The subscriptions of one connection to Flux events (RFC 3). */
import type { FluxError } from "../../src/errors.js";
import { type EventMessage, FLAG } from "../wire/message.js";
import type { Broker, EventHandler } from "./broker.js";
import { encodePayload } from "./payload.js";

interface Subscription {
  readonly prefix: string;
  readonly handler: EventHandler;
}

/** Subscribes, and gives each event to the handlers whose prefix it has. The broker counts the subscriptions of one prefix. */
export class Subscriptions {
  readonly #broker: Pick<Broker, "request" | "send">;
  readonly #subscriptions = new Set<Subscription>();

  constructor(broker: Pick<Broker, "request" | "send">) {
    this.#broker = broker;
  }

  /** As {@link Broker.subscribe}. */
  add(prefix: string, handler: EventHandler): () => void {
    const subscription = { prefix, handler };
    const payload = encodePayload({ topic: prefix });
    this.#broker.request(
      { topic: "event.subscribe", payload },
      {
        response: () => {},
        end: () => {},
        error: (error) => {
          if (this.#subscriptions.delete(subscription)) handler.error(error);
        },
      },
    );
    this.#subscriptions.add(subscription);
    return () => {
      if (this.#subscriptions.delete(subscription))
        this.#broker.send({ topic: "event.unsubscribe", payload });
    };
  }

  /** An event has arrived. */
  deliver({ topic = "", sequence, userid, flags, payload }: EventMessage): void {
    const event = { topic, sequence, userid, payload, isPrivate: (flags & FLAG.private) !== 0 };
    for (const { prefix, handler } of [...this.#subscriptions])
      if (topic.startsWith(prefix)) handler.event(event);
  }

  /** The connection is over. */
  end(error: (topic: string) => FluxError): void {
    const subscriptions = [...this.#subscriptions];
    this.#subscriptions.clear();
    for (const { handler } of subscriptions) handler.error(error("event.subscribe"));
  }
}
