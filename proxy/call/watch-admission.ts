/** An admitted watch: the ranks and processes that the token shows, also after a renewal. PROTOCOL.md, "Watching". */
import type { FluxError } from "../../src/errors.js";
import type { Signer } from "../../src/signing/signer.js";
import type { Identity } from "../auth/identity.js";
import type { JsonObject } from "../broker/payload.js";
import type { Verdict } from "../policy/policy.js";
import type { LabeledProcess } from "../policy/session-processes.js";
import type { Target, TargetRanks } from "./target.js";

/** A watch that may begin. */
export interface AdmittedWatch {
  readonly service: string;
  /** The ranks that the watch names. */
  readonly target: Target;
  /** The longest delay of a change, in milliseconds. */
  readonly interval: number;
  /** Signs each poll in the proxy; undefined if the proxy does not sign. */
  readonly signer: Signer | undefined;
  /** The client's first signature and the user that must have signed it; undefined if the client does not sign. */
  readonly signed: { readonly userid: number; readonly signature: unknown } | undefined;
  /** True if a token allows a list of all these ranks. */
  judge(identity: Identity, ranks: TargetRanks): Verdict;
  /** True if the rank that answers is the one that a poll names: the broker cannot reroute the poll. */
  answererCertain(identity: Identity): boolean;
  /** The rows of a list that the session may see. The session may name these processes from now on. */
  shown<T extends LabeledProcess>(
    rank: number,
    rows: readonly T[],
    labels: readonly string[] | undefined,
    requestedAt: number,
  ): T[];
  /** Records the refusal of some ranks. */
  refused(ranks: TargetRanks, error: FluxError): void;
  /** The watch is over. @param errno the first error of a rank; 0 if all ranks succeeded */
  over(errno: number): void;
}

/** The bounds of the interval, in milliseconds. */
const LEAST_MS = 100;
const MOST_MS = 3_600_000;
const DEFAULT_MS = 1000;

/** The interval of a watch in milliseconds, brought within its bounds; undefined if it is not a positive integer. */
export function readInterval({ interval = DEFAULT_MS }: JsonObject): number | undefined {
  if (!Number.isInteger(interval) || (interval as number) < 1) return undefined;
  return Math.min(Math.max(interval as number, LEAST_MS), MOST_MS);
}
