/** The faults of one connection. */

/** "up" is from the client to the target. */
export type Direction = "up" | "down";

/** The two ends of a connection. */
export type End = "client" | "target";

/** Forwarding ends. */
export type Cut =
  | {
      /** FIN or RST. Bytes that were not forwarded are lost, in both directions. */
      readonly kind: "cut" | "reset";
      /** The only end that hears of it: the other stays half-open. @default both ends */
      readonly end?: End;
    }
  | {
      /** Neither end hears of it. */
      readonly kind: "half-open";
    };

/** The direction stalls for some milliseconds, or until it is released. The other continues. */
export interface Stall {
  readonly kind: "stall";
  readonly ms?: number;
}

/** Happens once, when exactly `after` bytes have been forwarded in `direction`: 0 is before the first. */
export type Fault = { readonly direction: Direction; readonly after: number } & (Cut | Stall);

export interface Faults {
  readonly at?: readonly Fault[];
  /** The delay of each byte and the most extra delay, in milliseconds, in both directions. Bytes stay in order. */
  readonly latency?: { readonly ms: number; readonly jitter?: number };
  /** Forwards in pieces of 1 to this many bytes, each in its own TCP segment and turn of the event loop. */
  readonly segment?: number;
  /**
   * The target gets the client's bytes a second time, over another connection, until it has answered this many bytes. The answers
   * there are dropped. The other connection lives as long as this one.
   */
  readonly twice?: number;
}
