/** The opening of a connection: the client's hello, its token, and its proof. PROTOCOL.md, "Opening". */
import { FluxError } from "../../src/errors.js";
import { parseHello, parseProof } from "../../src/protocol/client-messages.js";
import type { Hello } from "../../src/protocol/messages.js";
import { CLOSE, malformed } from "../../src/protocol/protocol-error.js";
import type { Identity } from "../auth/identity.js";
import { createNonce, verifyProof } from "../auth/proof.js";

/** The connection that opens. */
export interface OpeningOptions {
  /** Verifies a token. Rejects with a FluxError that has the reason of a refusal. */
  verify(token: string): Promise<Identity>;
  /** The time for the client's hello and proof, in milliseconds. */
  helloTimeoutMs: number;
  send(message: object): void;
  /** The token was accepted. No message is accepted until the promise settles. */
  accepted(identity: Identity, hello: Hello): Promise<void>;
  close(code: number, reason: string): void;
  fault(error: unknown): void;
}

/** A challenge that the client has not answered. */
interface Challenge {
  hello: Hello;
  nonce: string;
  identity: Identity;
  jkt: string;
}

/** The opening of one connection. */
export class Opening {
  readonly #options: OpeningOptions;
  readonly #timer: ReturnType<typeof setTimeout>;
  #waitsFor: "hello" | "nothing" | Challenge = "hello";
  /** True once the time for hello and proof has passed. */
  #late = false;
  #over = false;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => this.#timeout(), options.helloTimeoutMs);
  }

  /** A text message has arrived. @throws ProtocolError */
  text(text: string): void {
    const expected = this.#waitsFor;
    if (expected === "nothing") throw malformed("message before welcome");
    this.#waitsFor = "nothing";
    if (expected === "hello") this.#run(this.#hello(parseHello(text)));
    else this.#run(this.#proof(parseProof(text).proof, expected));
  }

  /** The client was sent `welcome`, or is gone. */
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

  /** The time that the proxy needs to verify or to connect does not end the opening. */
  #timeout(): void {
    this.#late = true;
    if (this.#waitsFor === "nothing" || this.#over) return;
    const message = this.#waitsFor === "hello" ? "hello" : "proof";
    this.#options.close(CLOSE.timeout, `no ${message} in time`);
  }
}
