/** An admitted subscription to Flux events. PROTOCOL.md, "Events". */
import type { FluxError } from "../../src/errors.js";
import type { Identity } from "../auth/identity.js";

/** A subscription that may begin. */
export interface AdmittedEvents {
  /** The beginning of the topics. */
  readonly prefix: string;
  /** The broker's rank. */
  readonly rank: number;
  /** Decides again, after a renewal. @returns the refusal; undefined if the token allows these topics */
  judge(identity: Identity): FluxError | undefined;
  /** The subscription is over. @param errno its error */
  over(errno: number): void;
}
