import type { FluxError } from "../errors.js";

/**
 * The state of a handle, as {@link Flux.status$} emits it. Every status is data: `JSON.stringify` keeps all of it, the errors too.
 */
export type Status =
  /** There is no session, and one is opened: the first, or the next after one was lost. Requests queue. */
  | {
      readonly state: "connecting";
      /** The number of the attempt that is planned or under way; the first is 1. */
      readonly attempt: number;
      /** When the attempt begins, in milliseconds since 1970; absent while it is under way. */
      readonly next?: number | undefined;
      /** The error that ended the last session or attempt; absent during the first attempt of all. */
      readonly error?: FluxError | undefined;
    }
  /** Requests are sent. */
  | {
      readonly state: "open";
      /** The session's id, as in the proxy's audit. */
      readonly session: string;
      /** The rank of the broker that the proxy is connected to. */
      readonly rank: number;
      /** The number of brokers of the instance. */
      readonly size: number;
      /** The userid of the instance owner. */
      readonly owner: number;
      /** The Flux userid of the requests. */
      readonly userid: number;
      /** When the token expires, in seconds since 1970. A renewal emits "open" again. */
      readonly expires: number;
      /** Milliseconds that the session outlives a lost connection. */
      readonly grace: number;
    }
  /** The connection is lost. The processes run on, requests queue, and the client tries to resume the session. */
  | {
      readonly state: "resuming";
      /** The session's id, as in the proxy's audit. */
      readonly session: string;
      /** The number of the attempt that is planned or under way; the first is 1. */
      readonly attempt: number;
      /** When the attempt begins, in milliseconds since 1970; absent while it is under way. */
      readonly next?: number | undefined;
      /** The error that ended the connection or the last attempt. */
      readonly error: FluxError;
    }
  /** The handle is closed, for good. */
  | {
      readonly state: "closed";
      /** The reason; absent if `close()` was called. */
      readonly error?: FluxError | undefined;
    };
