/** The times of attempts to reach the proxy. */

import { boolean, func, natural } from "../protocol/checks.js";
import type { OptionChecks } from "../protocol/options.js";

/** When {@link connect} tries again to reach the proxy: the first time, after a lost connection, and after a lost session. */
export interface RetryOptions {
  /**
   * The maximum of attempts in a row. After these the handle is closed.
   * @default no maximum
   */
  count?: number | undefined;
  /**
   * Try the first connection again too. With `false` the handle is closed if it fails, for a program whose user is there to try again.
   * @default true
   */
  first?: boolean | undefined;
  /**
   * Milliseconds before an attempt. The first attempt has the number 1; it is the number of the sessions in a row that were lost within
   * ten seconds, if these are more.
   * @default random, up to 400 ms for the first attempt, up to twice that for each next one, and at most 10 s
   */
  delay?: ((attempt: number) => number) | undefined;
}

/** The checks of {@link RetryOptions}. */
export const RETRY_OPTIONS: OptionChecks<RetryOptions> = {
  count: (value) => value !== Number.POSITIVE_INFINITY && natural(value),
  first: boolean,
  delay: func,
};

const FIRST_MS = 400;
const MOST_MS = 10_000;

/** A session that is lost sooner than this, in milliseconds, was no success: a proxy that ends each one must not be tried at once. */
export const STABLE_MS = MOST_MS;

/** The default delay of {@link RetryOptions}: exponential with full jitter, so that clients dropped at once return one by one. */
export function fullJitter(attempt: number): number {
  return Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** (attempt - 1));
}

/** Calls `wake` when a browser is online again or shows the page: the user then waits. Other runtimes have neither event. */
export function onWake(wake: () => void, signal: AbortSignal): void {
  globalThis.addEventListener?.("online", wake, { signal });
  globalThis.document?.addEventListener("visibilitychange", () => document.hidden || wake(), { signal });
}
