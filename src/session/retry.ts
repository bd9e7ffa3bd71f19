/** When a lost connection is tried again. */

/** How `connect()` goes on after a lost connection. */
export interface RetryOptions {
  /** How many attempts in a row. Default: as long as the session can be there. */
  count?: number | undefined;
  /** Milliseconds before an attempt; the first has the number 1. Default: random, up to 400 ms, then twice that each time, and 10 s. */
  delay?: ((attempt: number) => number) | undefined;
}

const FIRST_MS = 400;
const MOST_MS = 10_000;

/** Exponential, with full jitter: of many clients that were dropped at once no two come back at the same time. */
export function fullJitter(attempt: number): number {
  return Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** (attempt - 1));
}

/** The browser is online again, or the page is looked at: nobody wants to wait now. Elsewhere, never. */
export function onWake(wake: () => void, signal: AbortSignal): void {
  globalThis.addEventListener?.("online", wake, { signal });
  globalThis.document?.addEventListener("visibilitychange", () => document.hidden || wake(), { signal });
}
