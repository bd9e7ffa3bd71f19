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
    }
  /** `error` says why, unless `close()` was called. */
  | { readonly state: "closed"; readonly error?: FluxError };
