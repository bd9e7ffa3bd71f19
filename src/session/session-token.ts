/** The token of a session: fetched for each connection, proven if it is bound to a key, and renewed. */
import { because, FluxError } from "../errors.js";

/** Fetches a token: for each connection, and for each renewal. */
export type TokenSource = () => Promise<string>;

/**
 * Proves possession of the key that a token is bound to. {@link keyProof} makes such functions.
 *
 * @param challenge the proxy's nonce for this connection, and the token
 * @returns the JWS of PROTOCOL.md's `proof`
 */
export type Prove = (challenge: { nonce: string; token: string }) => Promise<string>;

/** The latest token, its source and its proof. */
export class SessionToken {
  readonly #source: TokenSource;
  readonly #prove: Prove | undefined;
  #token = "";
  /** True if another token may be accepted after one was refused. */
  renewable: boolean;

  /**
   * @param prove undefined if the client has no key
   * @param fixed true if the source has one token only
   */
  constructor(source: TokenSource, prove: Prove | undefined, fixed = false) {
    this.#source = source;
    this.#prove = prove;
    this.renewable = !fixed;
  }

  /** A token for a new connection. @throws FluxError EACCES */
  async token(): Promise<string> {
    this.#token = await this.#fetch();
    return this.#token;
  }

  /** A token for a renewal; undefined if the source still returns the current one. @throws FluxError EACCES */
  async successor(): Promise<string | undefined> {
    const token = await this.#fetch();
    if (token === this.#token) return undefined;
    this.#token = token;
    return token;
  }

  /** A proof for the current token. @throws FluxError EACCES */
  async proof(nonce: string): Promise<string> {
    if (this.#prove === undefined) {
      // The next token will need it too.
      this.renewable = false;
      throw new FluxError("EACCES", "the token is bound to a key that was not given");
    }
    try {
      return await this.#prove({ nonce, token: this.#token });
    } catch (cause) {
      throw denied("the token's key could not sign the proof", cause);
    }
  }

  async #fetch(): Promise<string> {
    try {
      const token: unknown = await this.#source();
      if (typeof token === "string" && token !== "") return token;
      throw new TypeError("the token is not a string");
    } catch (cause) {
      throw denied("the token source failed", cause);
    }
  }
}

function denied(what: string, cause: unknown): FluxError {
  return new FluxError("EACCES", what + because(cause), { cause });
}
