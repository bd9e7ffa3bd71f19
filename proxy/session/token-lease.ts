/** The time for which a session has a valid token, and its renewal. PROTOCOL.md, "Renewal". */
import { FluxError } from "../../src/errors.js";
import type { Expiry } from "../../src/protocol/messages.js";
import { CLOSE } from "../../src/protocol/protocol-error.js";
import type { Identity } from "../auth/identity.js";

/** The time between `expiring` and the end of a token, in milliseconds. */
const NOTICE_MS = 60_000;

/** The time between two looks at the clock, in milliseconds: the clock may be set, and timers stop while the machine sleeps. */
const LOOK_MS = 10_000;

/** The session that has the token. */
export interface TokenLeaseOptions {
  /** Verifies a token. Rejects with a FluxError that has the reason of a refusal. */
  verify(token: string): Promise<Identity>;
  send(message: Expiry): void;
  /** A renewal was accepted. */
  renewed(identity: Identity): void;
  close(code: number, reason: string): void;
  fault(error: unknown): void;
}

/** Ends a session with its token, unless the client renews the token. */
export class TokenLease {
  readonly #options: TokenLeaseOptions;
  #identity: Identity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The time for `expiring`, in milliseconds since 1970; undefined once it was sent. */
  #noticeAt: number | undefined;
  /** Settles when all tokens that arrived are verified, in the order of their arrival. */
  #verified: Promise<void> = Promise.resolve();
  /** The number of the connection. A token that arrived over an earlier connection is dropped, as its answer would be. */
  #connection = 0;
  #over = false;

  constructor(identity: Identity, options: TokenLeaseOptions) {
    this.#options = options;
    this.#identity = identity;
  }

  /** The client has a connection, with this token. */
  begin(identity: Identity): void {
    this.#connection++;
    this.#watch(identity);
  }

  #watch(identity: Identity): void {
    if (this.#over) return;
    this.#identity = identity;
    const left = identity.expires * 1000 - Date.now();
    this.#noticeAt = Date.now() + Math.max(left - NOTICE_MS, (left * 3) / 4);
    this.#look();
  }

  /** The client lost its connection: nobody can act or be sent a notice. */
  pause(): void {
    this.#connection++;
    clearTimeout(this.#timer);
  }

  /** The identity of the present token. */
  get identity(): Identity {
    return this.#identity;
  }

  /** Closes the session if the token has expired. @returns whether the token is still valid */
  check(): boolean {
    if (this.#over) return false;
    if (Date.now() < this.#identity.expires * 1000) return true;
    this.end();
    this.#options.close(CLOSE.expired, "the token has expired");
    return false;
  }

  /** The client sent another token. */
  renew(token: string): void {
    const connection = this.#connection;
    const isGone = () => this.#over || this.#connection !== connection;
    this.#verified = this.#verified
      .then(() => this.#renew(token, isGone))
      .catch((error: unknown) => {
        if (!this.#over) this.#options.fault(error);
      });
  }

  /** The session is over. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** @param isGone whether the session or the connection of the token is over */
  async #renew(token: string, isGone: () => boolean): Promise<void> {
    if (isGone()) return;
    try {
      const next = await this.#options.verify(token);
      if (isGone()) return;
      const difference = differenceOf(this.#identity, next);
      if (difference !== undefined) throw new FluxError("EACCES", difference);
      if (!this.check()) return;
      this.#options.renewed(next);
      this.#options.send({ type: "renewed", expires: next.expires });
      this.#watch(next);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      if (!isGone()) this.#options.close(CLOSE.unauthorized, error.message);
    }
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (!this.check()) return;
    const now = Date.now();
    if (this.#noticeAt !== undefined && now >= this.#noticeAt) {
      this.#noticeAt = undefined;
      this.#options.send({ type: "expiring", expires: this.#identity.expires });
    }
    const next = (this.#noticeAt ?? this.#identity.expires * 1000) - now;
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(Math.ceil(next), 1), LOOK_MS));
  }
}

/** The reason why a token cannot renew another, or resume its session; undefined if it can. */
export function differenceOf(before: Identity, next: Identity): string | undefined {
  if (next.sub !== before.sub) return "token's sub claim is not that of the token before";
  if (next.userid !== before.userid) return "token's userid is not that of the token before";
  if (next.jkt !== before.jkt) return "token is not bound to the key that the token before was";
  return undefined;
}
