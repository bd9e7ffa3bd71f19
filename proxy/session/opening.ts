/** From the first message of a client to what it is let in to. PROTOCOL.md, "Opening". */
import { FluxError } from "../../src/errors.js";
import { parseHello, parseProof } from "../../src/protocol/client-messages.js";
import { CLOSE, type Hello, ProtocolError } from "../../src/protocol/messages.js";
import type { Identity } from "../auth/identity.js";
import { createNonce, verifyProof } from "../auth/proof.js";

export interface OpeningOptions {
  /** Accepts a token or throws a FluxError that says why not. */
  verify(token: string): Promise<Identity>;
  helloTimeoutMs: number;
  send(message: object): void;
  /** Whose client it is, and what it wants. Nothing is taken from it until that is done. */
  accepted(identity: Identity, hello: Hello): Promise<void>;
  close(code: number, reason: string): void;
  fault(error: unknown): void;
}

/** What a client is to prove, and the first time that it may not any more. */
interface Challenge {
  hello: Hello;
  nonce: string;
  identity: Identity;
  jkt: string;
}

export class Opening {
  readonly #options: OpeningOptions;
  readonly #timer: ReturnType<typeof setTimeout>;
  #waitsFor: "hello" | "nothing" | Challenge = "hello";
  #late = false;
  #over = false;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#timeout(), options.helloTimeoutMs);
  }

  /** A text message has arrived. @throws ProtocolError */
  text(text: string): void {
    const waited = this.#waitsFor;
    if (waited === "nothing") throw new ProtocolError(CLOSE.malformed, "message before welcome");
    this.#waitsFor = "nothing";
    if (waited === "hello") this.#run(this.#hello(parseHello(text)));
    else this.#run(this.#proof(parseProof(text).proof, waited));
  }

  /** The client is let in, or gone. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  async #hello(hello: Hello): Promise<void> {
    const identity = await this.#closeIfRefused(this.#options.verify(hello.token));
    if (identity === undefined || this.#over) return;
    const { jkt } = identity;
    if (jkt === undefined) return this.#options.accepted(identity, hello);
    if (this.#late) return this.#timeout();
    const nonce = createNonce();
    this.#waitsFor = { hello, nonce, identity, jkt };
    this.#options.send({ type: "challenge", nonce });
  }

  async #proof(proof: string, { identity, hello, nonce, jkt }: Challenge): Promise<void> {
    const proven = verifyProof(proof, { token: hello.token, nonce, jkt }).then(() => true);
    if ((await this.#closeIfRefused(proven)) && !this.#over) await this.#options.accepted(identity, hello);
  }

  /** @returns the result of `check`; undefined if it refused, and the connection is closed */
  async #closeIfRefused<T>(check: Promise<T>): Promise<T | undefined> {
    try {
      return await check;
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      if (!this.#over) this.#options.close(CLOSE.unauthorized, error.message);
      return undefined;
    }
  }

  #run(step: Promise<void>): void {
    step.catch((error: unknown) => this.#options.fault(error));
  }

  /** Time that we take ourselves, to check or to connect, is not the client's. */
  #timeout(): void {
    this.#late = true;
    if (this.#waitsFor === "nothing" || this.#over) return;
    const what = this.#waitsFor === "hello" ? "hello" : "proof";
    this.#options.close(CLOSE.timeout, `no ${what} in time`);
  }
}
