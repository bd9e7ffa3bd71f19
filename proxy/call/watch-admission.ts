/** A watch as the token has it: which ranks it may see and what of them, now and when another token has followed. */
import type { FluxError } from "../../src/errors.js";
import type { Signer } from "../../src/signing/signer.js";
import type { Identity } from "../auth/identity.js";
import type { JsonObject } from "../broker/payload.js";
import type { Listed } from "../policy/known.js";
import type { Verdict } from "../policy/policy.js";
import type { Target } from "./target.js";

/** A watch that may begin. */
export interface AdmittedWatch {
  readonly service: string;
  /** The ranks that it names. */
  readonly target: Target;
  /** By how much a change may be late, in milliseconds. */
  readonly interval: number;
  /** The proxy's signer, where the proxy signs each request. */
  readonly signer: Signer | undefined;
  /** The client's first signature, where the client signs, and the user that it has to be of. */
  readonly signed: { readonly userid: number; readonly signature: unknown } | undefined;
  /** Whether a token may have all these ranks listed. */
  judge(identity: Identity, ranks: readonly number[]): Verdict;
  /** Whether "any" must be the rank that the decision was made for. */
  pinned(identity: Identity): boolean;
  /** What of a rank's processes the session may see, and from then on knows. */
  shown<T extends Listed>(
    rank: number,
    rows: readonly T[],
    labels: readonly string[] | undefined,
    asked: number,
  ): T[];
  /** Some ranks are refused. */
  refused(ranks: readonly number[], error: FluxError): void;
  /** It is over. @param errno the first error of a rank; 0 if there was none */
  over(errno: number): void;
}

/** The least and the most that may be asked for, in milliseconds. */
const LEAST_MS = 100;
const MOST_MS = 3_600_000;
const DEFAULT_MS = 1000;

/** The interval that a watch asks for, within bounds; undefined if it is none. */
export function readInterval({ interval = DEFAULT_MS }: JsonObject): number | undefined {
  if (!Number.isInteger(interval) || (interval as number) < 1) return undefined;
  return Math.min(Math.max(interval as number, LEAST_MS), MOST_MS);
}
