/** The event service of an instance (flux-core broker.c, and librouter's router.c for subscriptions). */
import { errnoOf } from "../../src/errors.js";
import { type EventMessage, FLAG } from "../wire/message.js";
import type { Connection } from "./connection.js";
import { parsePayload } from "./json.js";
import type { Request } from "./request.js";
import { UnpackError, unpack } from "./unpack.js";

/** Publishes events, and sends each to the connections that have subscribed to a beginning of its topic. */
export class Events {
  /** The number of subscriptions of each connection to each prefix. */
  readonly #subscriptions = new Map<Connection, Map<string, number>>();
  /** The number of the last event. */
  #sequence = 0;

  /** Serves a request, or returns false if there is no such method. */
  serve(method: string, request: Request): boolean {
    try {
      if (method === "subscribe") this.#count(request, 1);
      else if (method === "unsubscribe") this.#count(request, -1);
      else if (method === "publish") this.#publish(request);
      else return false;
    } catch (error) {
      if (!(error instanceof UnpackError)) throw error;
      request.fail(errnoOf("EPROTO"));
    }
    return true;
  }

  /** A connection has closed. */
  disconnect(connection: Connection): void {
    this.#subscriptions.delete(connection);
  }

  #count(request: Request, change: number): void {
    const { topic } = unpack(parsePayload(request.payload), { topic: "string" });
    const counts = this.#subscriptions.get(request.connection) ?? new Map<string, number>();
    const count = (counts.get(topic) ?? 0) + change;
    if (count < 0) {
      request.fail(errnoOf("ENOENT"));
      return;
    }
    if (count === 0) counts.delete(topic);
    else counts.set(topic, count);
    this.#subscriptions.set(request.connection, counts);
    request.respond();
  }

  #publish(request: Request): void {
    const body = parsePayload(request.payload);
    const { topic, flags } = unpack(body, { topic: "string", flags: "integer" });
    const { payload } = unpack(body, { payload: "string?" });
    if (request.rank > 0) {
      request.fail(errnoOf("EPROTO"), "this service is only available on rank 0");
      return;
    }
    if ((flags & ~FLAG.private) !== 0) {
      request.fail(errnoOf("EPROTO"));
      return;
    }
    const sequence = ++this.#sequence;
    const event: EventMessage = {
      type: "event",
      flags: FLAG.topic | flags | (payload === undefined ? 0 : FLAG.payload),
      ...request.credential,
      routes: [],
      topic,
      payload: payload === undefined ? undefined : Buffer.from(payload, "base64"),
      sequence,
    };
    for (const [connection, counts] of this.#subscriptions) {
      if ([...counts.keys()].some((prefix) => topic.startsWith(prefix))) connection.send(event);
    }
    request.respond({ seq: sequence });
  }
}
