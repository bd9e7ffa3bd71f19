/** A token has an end, and may have a successor. PROTOCOL.md, "Renewal". */
import { FluxError } from "../../src/errors.js";
import { CLOSE, type Expiry } from "../../src/protocol/messages.js";
import type { Identity } from "../auth/identity.js";

/** How long before the end the client is told, in milliseconds. */
const NOTICE_MS = 60_000;

/** How often the clock is looked at: it may be set, and stands still for timers while the machine sleeps. */
const LOOK_MS = 10_000;

export interface TokenLeaseOptions {
  /** Accepts a token or throws a FluxError that says why not. */
  verify(token: string): Promise<Identity>;
  send(message: Expiry): void;
  /** A token has taken the place of the one before. */
  renewed(identity: Identity): void;
  close(code: number, reason: string): void;
  fault(error: unknown): void;
}

export class TokenLease {
  readonly #options: TokenLeaseOptions;
  #identity: Identity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the client is to be told, in milliseconds since 1970; undefined once it was. */
  #notice: number | undefined;
  /** Tokens are checked in the order that they came. */
  #checked: Promise<void> = Promise.resolve();
  /** Changes when the connection does: a token that came over one before is as lost as its answer. */
  #connection = 0;
  #over = false;

  constructor(identity: Identity, options: TokenLeaseOptions) {
    this.#options = options;
    this.#identity = identity;
  }

  /** A client is there, with this token; its end is watched. */
  begin(identity: Identity): void {
    this.#connection++;
    this.#watch(identity);
  }

  #watch(identity: Identity): void {
    if (this.#over) return;
    this.#identity = identity;
    const left = identity.expires * 1000 - Date.now();
    this.#notice = Date.now() + Math.max(left - NOTICE_MS, (left * 3) / 4);
    this.#look();
  }

  /** Nobody is there to act, or to be told. */
  pause(): void {
    this.#connection++;
    clearTimeout(this.#timer);
  }

  /** Whose token it is now. */
  get identity(): Identity {
    return this.#identity;
  }

  /** Closes the session if the token has ended. @returns whether it has not */
  check(): boolean {
    if (this.#over) return false;
    if (Date.now() < this.#identity.expires * 1000) return true;
    this.end();
    this.#options.close(CLOSE.expired, "the token has expired");
    return false;
  }

  /** A client offers a successor. */
  renew(token: string): void {
    const connection = this.#connection;
    const gone = () => this.#over || this.#connection !== connection;
    this.#checked = this.#checked
      .then(() => this.#renew(token, gone))
      .catch((error: unknown) => {
        if (!this.#over) this.#options.fault(error);
      });
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  /** @param gone whether the client is, or the connection that it came over */
  async #renew(token: string, gone: () => boolean): Promise<void> {
    if (gone()) return;
    try {
      const next = await this.#options.verify(token);
      if (gone()) return;
      const difference = differenceOf(this.#identity, next);
      if (difference !== undefined) throw new FluxError("EACCES", difference);
      if (!this.check()) return;
      this.#options.renewed(next);
      this.#options.send({ type: "renewed", expires: next.expires });
      this.#watch(next);
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      if (!gone()) this.#options.close(CLOSE.unauthorized, error.message);
    }
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (!this.check()) return;
    const now = Date.now();
    if (this.#notice !== undefined && now >= this.#notice) {
      this.#notice = undefined;
      this.#options.send({ type: "expiring", expires: this.#identity.expires });
    }
    const next = (this.#notice ?? this.#identity.expires * 1000) - now;
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.max(Math.ceil(next), 1), LOOK_MS));
  }
}

/** Why a token cannot follow another; undefined if it can. */
export function differenceOf(before: Identity, next: Identity): string | undefined {
  if (next.sub !== before.sub) return "token's sub claim is not that of the token before";
  if (next.userid !== before.userid) return "token's userid is not that of the token before";
  if (next.jkt !== before.jkt) return "token is not bound to the key that the token before was";
  return undefined;
}
