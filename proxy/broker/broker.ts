/**
 * A connection to a broker as its users see it. {@link BrokerConnection} is the real one; tests have
 * others.
 */
import { FluxError } from "../../src/errors.js";
import type { JsonObject } from "./payload.js";

/** An error in a response of the broker. After any other error, it is unknown whether the broker carried out the request. */
export class AnswerError extends FluxError {}

/** A request to one rank, without a matchtag. */
export interface BrokerRequest {
  topic: string;
  /** The rank that the request is for. Absent: any (RFC 3 nodeid-any). */
  nodeid?: number | undefined;
  /** From {@link encodePayload}. */
  payload?: Uint8Array | undefined;
}

/** A request with its matchtag (RFC 6). */
export interface BrokerCall extends BrokerRequest {
  /** True if several responses may come, up to ENODATA (RFC 6). */
  streaming?: boolean;
  /** 1 to 0x7fffffff and not in use on this connection. Absent: the connection chooses one above. */
  matchtag?: number;
}

/**
 * Receives the responses to one request. Without streaming, it gets one `response` or one `error`. With streaming, it gets any number
 * of `response`, then `error`, or `end` if the request succeeded. Its methods must not throw.
 */
export interface ResponseHandler {
  response(payload: JsonObject | undefined): void;
  error(error: FluxError): void;
  end(): void;
}

/** A Flux event (RFC 3), as it came from the broker. */
export interface BrokerEvent {
  readonly topic: string;
  readonly sequence: number;
  /** The user that published it. */
  readonly userid: number;
  /** True if only that user and the instance owner may receive it. */
  readonly isPrivate: boolean;
  readonly payload: Uint8Array | undefined;
}

/** Receives the events of one subscription. Its methods must not throw. */
export interface EventHandler {
  event(event: BrokerEvent): void;
  /** There is no subscription, or no longer. */
  error(error: FluxError): void;
}

/** A connection to a broker. */
export interface Broker {
  /**
   * Sends a request that is answered.
   * @throws FluxError EBUSY if the matchtag is in use; ECONNRESET if the connection is over
   */
  request(call: BrokerCall, handler: ResponseHandler): void;
  /** Sends a request that is never answered (RFC 6 noresponse). Dropped if the connection is over. */
  send(request: BrokerRequest): void;
  /**
   * Subscribes to the events whose topics begin with `prefix`. An event that is published after the broker has read a later request is
   * not missed.
   * @returns ends the subscription
   * @throws FluxError ECONNRESET if the connection is over
   */
  subscribe(prefix: string, handler: EventHandler): () => void;
  /** True if too much waits to be written: callers should wait for {@link drained}. */
  readonly congested: boolean;
  /** Resolves when all messages are written, or the connection is over. */
  drained(): Promise<void>;
  /** Writes the messages that wait, and disconnects. Open requests fail with ECANCELED. */
  close(): void;
  /**
   * Resolves when the connection is over: with undefined after `close`, else with the error that ended it.
   */
  readonly closed: Promise<FluxError | undefined>;
  /**
   * Resolves when the broker has closed its end: it has read all the messages that it will read. The connection stays open for
   * that, for any time, even after `close`.
   */
  released(): Promise<void>;
}
