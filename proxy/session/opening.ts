/** From the first message of a client to its welcome. PROTOCOL.md, "Opening". */
import { FluxError } from "../../src/errors.js";
import { CLOSE, ProtocolError, type Welcome } from "../../src/protocol/messages.js";
import { parseHello, parseProof } from "../../src/protocol/parse.js";
import type { Identity } from "../auth/identity.js";
import { createNonce, verifyProof } from "../auth/proof.js";
import type { Broker } from "../broker/broker.js";
import { attrGetInteger } from "../broker/rpc.js";

/** Where in the instance the broker is that a session speaks to. */
export type Place = Pick<Welcome, "rank" | "size" | "owner">;

export interface OpeningOptions {
  /** Accepts a token or throws a FluxError that says why not. */
  verify(token: string): Promise<Identity>;
  /** Opens a connection for whoever it is; undefined if the session is over by then. */
  connect(identity: Identity): Promise<Broker | undefined>;
  helloTimeoutMs: number;
  send(message: object): void;
  opened(identity: Identity, broker: Broker, place: Place): void;
  close(code: number, reason: string): void;
  fault(error: unknown): void;
}

/** What a client is to prove, and the first time that it may not any more. */
interface Challenge {
  token: string;
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
    if (waited === "hello") this.#run(this.#hello(parseHello(text).token));
    else this.#run(this.#proof(parseProof(text).proof, waited));
  }

  /** The session is over, or open. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  async #hello(token: string): Promise<void> {
    const identity = await this.#accepted(this.#options.verify(token));
    if (identity === undefined || this.#over) return;
    const { jkt } = identity;
    if (jkt === undefined) return this.#open(identity);
    if (this.#late) return this.#timeout();
    const nonce = createNonce();
    this.#waitsFor = { token, nonce, identity, jkt };
    this.#options.send({ type: "challenge", nonce });
  }

  async #proof(proof: string, { identity, ...claim }: Challenge): Promise<void> {
    const proven = verifyProof(proof, claim).then(() => true);
    if ((await this.#accepted(proven)) && !this.#over) await this.#open(identity);
  }

  /** What a check gives; undefined if it refused, and the session is closed. */
  async #accepted<T>(check: Promise<T>): Promise<T | undefined> {
    try {
      return await check;
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      if (!this.#over) this.#options.close(CLOSE.unauthorized, error.message);
      return undefined;
    }
  }

  async #open(identity: Identity): Promise<void> {
    try {
      const broker = await this.#options.connect(identity);
      if (broker === undefined) return;
      const [rank, size, owner] = await Promise.all([
        attrGetInteger(broker, "rank"),
        attrGetInteger(broker, "size"),
        attrGetInteger(broker, "security.owner"),
      ]);
      // Closing fails requests to the broker, but an answer may have been on its way through the microtask
      // queue.
      if (!this.#over) this.#options.opened(identity, broker, { rank, size, owner });
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      if (!this.#over) this.#options.close(CLOSE.brokerLost, error.message);
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
    this.#options.close(CLOSE.helloTimeout, `no ${what} in time`);
  }
}
