import type { FluxError } from "../errors.js";

/** The state of a session, as `flux.status$` tells it. */
export type Status =
  | { readonly state: "connecting" }
  | {
      readonly state: "open";
      /** The session's id, as the proxy's logs show it. */
      readonly session: string;
      /** The rank of the broker that the proxy speaks to. */
      readonly rank: number;
      /** The number of brokers of the instance. */
      readonly size: number;
      /** The userid of the instance owner. */
      readonly owner: number;
      /** The Flux userid in whose name requests go. */
      readonly userid: number;
      /** When the token ends, in seconds since 1970. A renewal is another "open". */
      readonly expires: number;
      /** For how long the session outlives a lost connection, in milliseconds. */
      readonly grace: number;
    }
  /** The connection was lost, and another one is tried. What was asked for waits. */
  | {
      readonly state: "resuming";
      /** Counts from 1. */
      readonly attempt: number;
      /** When it begins, in milliseconds since 1970; absent while it is under way. */
      readonly next?: number | undefined;
      /** Why the connection was lost, or the last attempt failed. */
      readonly error: FluxError;
    }
  /** `error` says why, unless `close()` was called. */
  | { readonly state: "closed"; readonly error?: FluxError | undefined };
