/** The token of a session: asked for when it opens, proven where it is bound to a key, and renewed. */
import { because, FluxError } from "../errors.js";

/** Gives a token; asked anew for each renewal. */
export type TokenSource = () => Promise<string>;

/** Proves that the client has the key that a token is bound to. @returns the JWS of PROTOCOL.md's `proof` */
export type Prove = (challenge: { nonce: string; token: string }) => Promise<string>;

export class SessionToken {
  readonly #source: TokenSource;
  readonly #prove: Prove | undefined;
  #token = "";

  constructor(source: TokenSource, prove: Prove | undefined) {
    this.#source = source;
    this.#prove = prove;
  }

  /** @throws FluxError EACCES */
  async token(): Promise<string> {
    this.#token = await this.#ask();
    return this.#token;
  }

  /** A token other than the one before, if there is one. @throws FluxError EACCES */
  async successor(): Promise<string | undefined> {
    const token = await this.#ask();
    if (token === this.#token) return undefined;
    this.#token = token;
    return token;
  }

  /** @throws FluxError EACCES */
  async proof(nonce: string): Promise<string> {
    if (this.#prove === undefined)
      throw new FluxError("EACCES", "the token is bound to a key that was not given");
    try {
      return await this.#prove({ nonce, token: this.#token });
    } catch (cause) {
      throw denied("the token's key could not sign the proof", cause);
    }
  }

  async #ask(): Promise<string> {
    try {
      const token: unknown = await this.#source();
      if (typeof token === "string" && token !== "") return token;
      throw new TypeError("the token is not a string");
    } catch (cause) {
      throw denied("no token could be had", cause);
    }
  }
}

function denied(what: string, cause: unknown): FluxError {
  return new FluxError("EACCES", what + because(cause), { cause });
}
