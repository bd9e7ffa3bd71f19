/** The stops that a process's user sends it. While one is in force or unanswered, only the user may continue the process. */

/** A `stopped` that arrives this long after a SIGCONT may be from before it, in milliseconds. */
export const LATE_MS = 1000;

type State =
  /** The user has not stopped the process. A `stopped` before `lateUntil` may be from before the user's last SIGCONT. */
  { is: "running"; lateUntil: number } | { is: "stopped" };

/** The user's stops of one process. */
export class UserStops {
  #state: State = { is: "running", lateUntil: 0 };
  /** Stops without an answer. */
  #unanswered = 0;
  /** True only while `#unanswered` > 0: a SIGCONT of the proxy was unanswered when the user sent one of these stops. */
  #crossed = false;
  /** The client has heard no `stopped` since its last stop. True only while `#unanswered` > 0 or the user has stopped it. */
  #unreported = false;

  /** True if the proxy must not send SIGCONT. */
  get inForce(): boolean {
    return this.#unanswered > 0 || this.#state.is === "stopped";
  }

  /** True if the client still waits for the `stopped` of a stop that it sent. */
  get unreported(): boolean {
    return this.#unreported;
  }

  /** @param crossing whether a SIGCONT of the proxy is unanswered: it may reach the process after this stop */
  send(crossing: boolean): void {
    this.#unanswered++;
    this.#crossed ||= crossing;
    this.#unreported = true;
  }

  /** The process's server has taken a stop. @returns whether a SIGCONT of the proxy may have undone it */
  accept(): boolean {
    const crossed = this.#crossed;
    this.#answer();
    this.#state = { is: "stopped" };
    return crossed;
  }

  /** The process's server has refused a stop. */
  refuse(): void {
    this.#answer();
    this.#unreported &&= this.#unanswered > 0;
  }

  /** The client hears `stopped`. */
  report(): void {
    this.#unreported = false;
  }

  /** The process's server has taken the user's SIGCONT. @param now in milliseconds */
  continue(now: number): void {
    this.#state = { is: "running", lateUntil: now + LATE_MS };
    this.#unreported = this.#unanswered > 0;
  }

  /** A `stopped` that neither the proxy nor this user's client explains: somebody else acts for the user. */
  observe(now: number): void {
    if (this.#state.is === "running" && now >= this.#state.lateUntil) this.#state = { is: "stopped" };
  }

  #answer(): void {
    this.#unanswered--;
    if (this.#unanswered === 0) this.#crossed = false;
  }
}
