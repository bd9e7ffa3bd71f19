/** What may go wrong with one connection. */

/** "up" is from the client to the target. */
export type Direction = "up" | "down";

/** The two ends of a connection. */
export type End = "client" | "target";

/** Nothing is forwarded any more. */
export type Cut =
  | {
      /** FIN or RST. What had not been forwarded, in either direction, is lost. */
      readonly kind: "cut" | "reset";
      /** The one end that hears of it; the other is left half-open. Default: both do. */
      readonly end?: End;
    }
  | {
      /** Nobody is told. */
      readonly kind: "half-open";
    };

/** The direction stands still for so many milliseconds, or until it is released. The other goes on. */
export interface Stall {
  readonly kind: "stall";
  readonly ms?: number;
}

/** Happens once, when exactly `after` bytes have been forwarded in `direction`: 0 is before the first. */
export type Fault = { readonly direction: Direction; readonly after: number } & (Cut | Stall);

export interface Faults {
  readonly at?: readonly Fault[];
  /** Milliseconds that each byte is late, and at most how many more, in both directions. Bytes stay in order. */
  readonly latency?: { readonly ms: number; readonly jitter?: number };
  /** Forwards in pieces of 1 to so many bytes, each a TCP segment of its own and a turn of the event loop. */
  readonly segment?: number;
  /**
   * The target hears twice what the client says until it has answered so many bytes: from another connection too, whose
   * answers nobody reads. It stays for as long as this one does.
   */
  readonly twice?: number;
}
