/**
 * Decides when to stop a process whose output waits, and when to continue it. It does no I/O: its methods take the output,
 * the user's signals and the server's answers, and return the signals to send. PROTOCOL.md, "Flow control".
 *
 * No message says why a process has stopped. So the brake takes a stop that no signal of the user explains for its own, while
 * its SIGSTOP is in force and shortly after. Any other stop is the user's, and only the user may end it.
 */
import { SIGNUM } from "../../src/protocol/signals.js";
import { LATE_MS, UserStops } from "./user-stops.js";

/**
 * After this many bytes beyond the answer to a SIGSTOP, the process has not stopped. All it wrote before the stop comes before
 * the answer, except what its server still buffers: 4 MiB in flux-core.
 */
const AGAIN = 8 * 1024 * 1024;

/** A process may write this many bytes after a signal of its user before the brake stops it again. */
const AFTER_SIGNAL = 64 * 1024;

const STOPS: ReadonlySet<number> = new Set([SIGNUM.SIGSTOP, SIGNUM.SIGTSTP, SIGNUM.SIGTTIN, SIGNUM.SIGTTOU]);

type Hold =
  /** No SIGSTOP of the proxy is in force. */
  | "free"
  /** A SIGSTOP of the proxy is in force, because too much waits. */
  | "held"
  /** As "held", but the process has written on. */
  | "ignored"
  /** A SIGSTOP of the proxy is in force and has no reason left. It lasts while the user's own stop forbids SIGCONT. */
  | "left";

/**
 * `overflow` and `restore` send SIGSTOP: too much waits, or a SIGCONT of the proxy may have undone the user's stop.
 * `letGo` sends nothing. SIGCONT leads from "left" to "free", once the user's stops allow it.
 */
const NEXT: Readonly<Record<Hold, Readonly<Record<"overflow" | "restore" | "letGo", Hold>>>> = {
  free: { overflow: "held", restore: "left", letGo: "free" },
  held: { overflow: "ignored", restore: "held", letGo: "left" },
  ignored: { overflow: "ignored", restore: "ignored", letGo: "left" },
  left: { overflow: "held", restore: "left", letGo: "left" },
};

/** The effect of an answer to a user's signal. */
export interface Consequence {
  /** The signal to send. */
  signal: "stop" | "cont" | undefined;
  /** True if to report `stopped` to the client: the brake had kept it back as its own. */
  tell: boolean;
}

const NOTHING: Consequence = { signal: undefined, tell: false };

/** The brake of one process. Its caller sends the signals, and reports every answer. */
export class Brake {
  readonly #user = new UserStops();
  #hold: Hold = "free";
  /** Bytes that may come before `output` sends SIGSTOP. Infinite from an overflow's SIGSTOP to its answer or to `letGo`. */
  #margin = 0;
  /** SIGSTOPs of the proxy without an answer. */
  #stops = 0;
  /** SIGCONTs of the proxy without an answer. While there are any, a `stopped` is the proxy's. */
  #conts = 0;
  /** A `stopped` before this time is the proxy's too, as its last SIGCONT was answered less than `LATE_MS` ago. */
  #lateUntil = 0;
  /** A `stopped` since the proxy's last SIGCONT was taken for the proxy's own, and the client has not heard of it. */
  #concealed = false;

  /** True if the process ignores SIGSTOP: it has written `AGAIN` bytes after the answer. */
  get unheeded(): boolean {
    return this.#hold === "ignored";
  }

  /** Output has come. @param high whether too much waits. @returns whether to send SIGSTOP */
  output(bytes: number, high: boolean): boolean {
    this.#margin = Math.max(this.#margin - bytes, 0);
    if (!high || this.#margin > 0) return false;
    this.#halt("overflow");
    this.#margin = Number.POSITIVE_INFINITY;
    return true;
  }

  /** The server has answered a SIGSTOP of the proxy. */
  halted(): void {
    this.#stops--;
    // A SIGSTOP from before a SIGCONT proves nothing: only the answer to the last one starts the count.
    if (this.#holding && this.#stops === 0) this.#margin = AGAIN;
  }

  /** Little output waits, or nobody follows the process any more. @returns whether to send SIGCONT */
  release(): boolean {
    this.#letGo(0);
    return this.#continue();
  }

  /** The server has answered a SIGCONT of the proxy. @param now in milliseconds, on a clock that does not go back */
  continued(now: number): void {
    this.#conts--;
    if (this.#conts === 0) this.#lateUntil = now + LATE_MS;
  }

  /** The server says that the process has stopped. @returns whether to report it to the client */
  stopped(now: number): boolean {
    if (this.#user.unreported) {
      // Before the answer to the proxy's SIGCONT it may be from before that SIGCONT. If the SIGCONT has undone the user's stop,
      // `answered` sends it again, and another `stopped` follows.
      if (this.#conts > 0) return false;
      this.#user.report();
      return true;
    }
    if (this.#hold !== "free" || this.#conts > 0 || now < this.#lateUntil) {
      this.#concealed = true;
      return false;
    }
    this.#user.observe(now);
    return true;
  }

  /** The user sends the process a signal. `answered` follows. */
  signalled(signum: number): void {
    if (STOPS.has(signum)) this.#user.send(this.#conts > 0);
  }

  /** The server has taken or refused a signal of the user. @param now in milliseconds, on a clock that does not go back */
  answered(signum: number, taken: boolean, now: number): Consequence {
    if (STOPS.has(signum)) return taken ? this.#stopTaken() : this.#stopRefused();
    if (!taken) return NOTHING;
    if (signum === SIGNUM.SIGCONT) this.#user.continue(now);
    if (this.#holding) this.#letGo(AFTER_SIGNAL);
    return this.#continuation();
  }

  #stopTaken(): Consequence {
    const tell = this.#user.unreported && this.#hold !== "free" && this.#concealed;
    if (tell) {
      this.#user.report();
      this.#concealed = false;
    }
    if (!this.#user.accept()) return { signal: undefined, tell };
    this.#halt("restore");
    return { signal: "stop", tell };
  }

  #stopRefused(): Consequence {
    this.#user.refuse();
    return this.#continuation();
  }

  get #holding(): boolean {
    return this.#hold === "held" || this.#hold === "ignored";
  }

  #halt(reason: "overflow" | "restore"): void {
    this.#hold = NEXT[this.#hold][reason];
    this.#stops++;
  }

  #letGo(margin: number): void {
    this.#hold = NEXT[this.#hold].letGo;
    this.#margin = margin;
  }

  #continuation(): Consequence {
    return this.#continue() ? { signal: "cont", tell: false } : NOTHING;
  }

  /** @returns whether to send SIGCONT: a SIGSTOP without a reason is in force, and no stop of the user */
  #continue(): boolean {
    if (this.#hold !== "left" || this.#user.inForce) return false;
    this.#hold = "free";
    this.#concealed = false;
    this.#conts++;
    return true;
  }
}
