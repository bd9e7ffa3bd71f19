/** Which requests are signed, by whom, and in order although signing takes time. RFC 42 Request Authentication. */
import { FluxError } from "../errors.js";
import { type Signer, signedPayload } from "../signing/signer.js";
import type { CallRequest } from "./call.js";

/** What the session knows once it is open. */
export interface SigningPlace {
  owner: number;
  userid: number;
  /** The proxy's clock, in milliseconds since 1970: Flux refuses what was signed in its future. */
  clock(): number;
}

export class Signatures {
  readonly #signer: Signer | undefined;
  readonly #place: SigningPlace;
  #queue: Promise<void> = Promise.resolve();

  constructor(signer: Signer | undefined, place: SigningPlace) {
    this.#signer = signer;
    this.#place = place;
  }

  /**
   * Who signs a request. As in the seed: `sign` true or false; absent: whether the owner of the instance is not the
   * userid in whose name it goes.
   * @throws FluxError EPERM if the signer is of another user
   */
  by({ sign }: CallRequest): "nobody" | "client" | "proxy" {
    const { owner, userid } = this.#place;
    if (!(sign ?? owner !== userid)) return "nobody";
    if (this.#signer === undefined) return "proxy";
    if (this.#signer.userid !== userid) {
      throw new FluxError("EPERM", `the signer is of user ${this.#signer.userid}, the token of ${userid}`);
    }
    return "client";
  }

  /**
   * Signs and then hands over, after all that was asked for before.
   * @param failed is told why it could not be signed, or what `use` threw
   */
  sign(
    topic: string,
    payload: () => object,
    use: (signed: { signature: string }) => void,
    failed: (error: FluxError) => void,
  ): void {
    this.#queue = this.#queue.then(async () => {
      try {
        use(await signedPayload(this.#signer as Signer, topic, payload(), this.#place.clock()));
      } catch (cause) {
        const why = cause instanceof Error ? `: ${cause.message}` : "";
        failed(
          cause instanceof FluxError
            ? cause
            : new FluxError("EPERM", `it could not be signed${why}`, { topic, cause }),
        );
      }
    });
  }
}
