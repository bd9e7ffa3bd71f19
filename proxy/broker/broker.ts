/**
 * A connection to a broker as its users see it. {@link BrokerConnection} is the real one; tests have
 * others.
 */
import { FluxError } from "../../src/errors.js";
import type { JsonObject } from "./payload.js";

/** An error that the broker has answered. With any other nobody knows whether a request that was sent was carried out. */
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
  /** Whether several responses may come, up to ENODATA (RFC 6). */
  streaming?: boolean;
  /** 1 to 0x7fffffff and not in use on this connection. Absent: the connection chooses one above. */
  matchtag?: number;
}

/**
 * Told of what answers one request: `response` once, or any number of times if it is streaming; then
 * `error`, or for a streaming request that succeeded `end`. Nothing follows those, nor the one response of
 * a request that is not streaming. It must not throw.
 */
export interface ResponseHandler {
  response(payload: JsonObject | undefined): void;
  error(error: FluxError): void;
  end(): void;
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
  /** Whether more is waiting to be written than should be. */
  readonly congested: boolean;
  /** Resolves when all is written, or the connection over. */
  drained(): Promise<void>;
  /** Writes what is waiting and disconnects. Open requests fail with ECANCELED. */
  close(): void;
  /**
   * Resolves when the connection is over: with undefined after `close`, else with the error that ended it.
   */
  readonly closed: Promise<FluxError | undefined>;
  /**
   * Resolves when the broker has let go of the connection: it reads nothing more of what was sent, and has read what it will. The
   * connection is kept for that, however long it takes, also if it is closed here.
   */
  released(): Promise<void>;
}
