/**
 * Stops a process whose output nobody takes, and lets it go on; no I/O. It is told of the output, of the signals of the
 * process's user and of what its server says, and tells what to do. PROTOCOL.md, "Flow control".
 *
 * Nothing says why a process has stopped. So a stop that no signal of its user's explains is ours while we hold the
 * process and shortly after. Any other is its user's, who alone may then continue it.
 */
import { SIGNUM } from "./signum.js";

/**
 * So many bytes that come after a stop was answered show that it did not last. What was written before it comes before the
 * answer, but for what its server holds: flux-core has a buffer of 4 MiB.
 */
const AGAIN = 8 * 1024 * 1024;

/** So many may come after a signal of its user's before it is stopped again. */
const AFTER_SIGNAL = 64 * 1024;

/** How long after a SIGCONT a `stopped` may be of before it, in milliseconds. */
const STALE_MS = 1000;

const STOPS: ReadonlySet<number> = new Set([SIGNUM.stop, SIGNUM.tstp, SIGNUM.ttin, SIGNUM.ttou]);

/** What follows from a signal of the user's. */
export interface Consequence {
  /** What is to be sent. */
  signal: "stop" | "cont" | undefined;
  /** Whether to tell the client that the process has stopped: it had before, but by us alone. */
  tell: boolean;
}

export class Brake {
  #held = false;
  /** We have sent SIGSTOP, and no SIGCONT since. */
  #stopped = false;
  /** Signals of ours that are not answered. */
  #stops = 0;
  #conts = 0;
  /** How many bytes may come before it is stopped, though too much waits. */
  #margin = 0;
  /** It has written although it was stopped. */
  #unheeded = false;
  /** Its user has stopped it and not continued it. */
  #byUser = false;
  /** Stops of its user's that are not answered. */
  #asked = 0;
  /** A SIGCONT of ours was on its way when its user sent a stop: it may come second, on another connection. */
  #crossed = false;
  /** A stop of its user's was sent, and no `stopped` came since. */
  #awaited = false;
  /** A `stopped` that was taken for ours was not told. */
  #untold = false;
  /** Until when a `stopped` is ours. */
  #oursUntil = 0;
  /** Until when a `stopped` may be of before its user's SIGCONT. */
  #staleUntil = 0;

  /** Whether it is to stand still. */
  get held(): boolean {
    return this.#held;
  }

  /** Whether it goes on although it was stopped. */
  get unheeded(): boolean {
    return this.#unheeded;
  }

  /** Output has come. @param high whether too much waits. @returns whether to send SIGSTOP */
  output(bytes: number, high: boolean): boolean {
    this.#margin = Math.max(this.#margin - bytes, 0);
    if (!high || this.#margin > 0) return false;
    this.#unheeded = this.#held;
    this.#held = true;
    this.#halt();
    this.#margin = Number.POSITIVE_INFINITY;
    return true;
  }

  /** A SIGSTOP of ours was answered. */
  halted(): void {
    this.#stops--;
    if (this.#held && this.#stops === 0) this.#margin = AGAIN;
  }

  /** Little of its output waits, or nobody follows it any more. @returns whether to send SIGCONT */
  release(): boolean {
    this.#held = false;
    this.#unheeded = false;
    this.#margin = 0;
    return this.#cont();
  }

  /** A SIGCONT of ours was answered. @param now in milliseconds, of a clock that does not go back */
  continued(now: number): void {
    this.#conts--;
    if (this.#conts === 0) this.#oursUntil = now + STALE_MS;
  }

  /** Its server says that it has stopped. @returns whether to tell the client */
  stopped(now: number): boolean {
    if (this.#awaited) {
      // What comes before the answer to our SIGCONT was before it; if its user's stop was as well, that is sent again.
      this.#awaited = this.#conts > 0;
      return !this.#awaited;
    }
    if (this.#stopped || now < this.#oursUntil) {
      this.#untold = true;
      return false;
    }
    if (now >= this.#staleUntil) this.#byUser = true;
    return true;
  }

  /** Its user sends it a signal, which will be answered. */
  signalled(signum: number): void {
    if (!STOPS.has(signum)) return;
    this.#asked++;
    this.#crossed ||= this.#conts > 0;
    this.#awaited = true;
  }

  /** Its server has taken a signal of its user's, or has refused it. */
  answered(signum: number, taken: boolean, now: number): Consequence {
    if (STOPS.has(signum)) return this.#stopAnswered(taken);
    if (!taken) return { signal: undefined, tell: false };
    if (signum === SIGNUM.cont) {
      this.#byUser = false;
      this.#awaited = this.#asked > 0;
      this.#staleUntil = now + STALE_MS;
    }
    if (this.#held) this.#margin = AFTER_SIGNAL;
    this.#held = false;
    return { signal: this.#cont() ? "cont" : undefined, tell: false };
  }

  #stopAnswered(taken: boolean): Consequence {
    this.#asked--;
    const crossed = this.#crossed;
    if (this.#asked === 0) this.#crossed = false;
    if (!taken) {
      this.#awaited = this.#awaited && this.#asked > 0;
      return { signal: this.#cont() ? "cont" : undefined, tell: false };
    }
    this.#byUser = true;
    const tell = this.#awaited && this.#stopped && this.#untold;
    if (tell) {
      this.#awaited = false;
      this.#untold = false;
    }
    if (!crossed) return { signal: undefined, tell };
    this.#halt();
    return { signal: "stop", tell };
  }

  #halt(): void {
    this.#stopped = true;
    this.#stops++;
  }

  /** Whether it is to be continued: by us if we have stopped it, and if its user has not. */
  #cont(): boolean {
    if (this.#held || !this.#stopped || this.#byUser || this.#asked > 0) return false;
    this.#stopped = false;
    this.#untold = false;
    this.#conts++;
    this.#oursUntil = Number.POSITIVE_INFINITY;
    return true;
  }
}
