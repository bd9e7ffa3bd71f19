/** Signatures of polls (RFC 42 list in signed form): by the proxy, or by the client that watches. */
import { FluxError } from "../../src/errors.js";
import { type Signer, signedPayload } from "../../src/signing/signer.js";
import { readSignedList, SignedError } from "../policy/signed.js";

/** Signs the polls of a watch. */
export interface PollSigner {
  /** Polls are shared by the watches whose signers have the same key. */
  readonly key: string;
  /** The payload of a list in signed form. Rejects with a FluxError. */
  sign(topic: string): Promise<object>;
}

/** The proxy signs each poll, for its own user. */
export function proxyPolls(signer: Signer): PollSigner {
  return {
    key: "proxy",
    sign: (topic) =>
      signedPayload(signer, topic, {}).catch((cause: Error) => {
        throw new FluxError("EPERM", `the proxy cannot sign: ${cause.message}`, { cause });
      }),
  };
}

/** The most time that a signature of the client is used, in milliseconds. Half of its lifetime is the limit if that is shorter. */
const FRESH_MS = 10_000;

/** The time for a client to sign, in milliseconds. Then its ranks get ETIMEDOUT. */
const SIGN_MS = 5000;

let signatures = 0;

interface Wait {
  readonly signed: Promise<object>;
  resolve(payload: object): void;
  reject(error: FluxError): void;
}

/**
 * The signature of a client, for the polls of one watch: no other watch gets their answers. It names neither rank nor time, so
 * it serves all ranks while it is fresh. After that, the client must send another.
 */
export class ClientSignature implements PollSigner {
  readonly key = `client ${++signatures}`;
  readonly #topic: string;
  readonly #userid: number;
  readonly #stale: () => void;
  #signature = "";
  /** The signature is fresh before this time of performance.now. */
  #until = 0;
  /** True from a request for another signature until the client sends it. */
  #owed = false;
  /** Defined while polls wait for a signature. */
  #wait: Wait | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param userid the user that has to sign
   * @param stale asks the client for another signature
   * @throws SignedError as {@link renew}
   */
  constructor(topic: string, userid: number, signature: unknown, stale: () => void) {
    this.#topic = topic;
    this.#userid = userid;
    this.#stale = stale;
    this.renew(signature);
  }

  /** Replaces the signature. @throws SignedError if it is not of this list, by this user */
  renew(signature: unknown): void {
    const { userid, lifetime } = readSignedList(signature, this.#topic);
    if (userid !== this.#userid) throw new SignedError("signature is of another user");
    this.#signature = signature as string;
    this.#until = performance.now() + Math.min(FRESH_MS, lifetime / 2);
    this.#owed = false;
    this.#settle()?.resolve(this.#payload);
  }

  async sign(): Promise<object> {
    if (performance.now() < this.#until) return this.#payload;
    this.#wait ??= this.#begin();
    const { signed } = this.#wait;
    if (!this.#owed) {
      this.#owed = true;
      this.#stale();
    }
    return signed;
  }

  /** The watch is over. */
  close(): void {
    this.#settle()?.reject(new FluxError("ECANCELED", "nobody watches any more"));
  }

  get #payload(): object {
    return { signature: this.#signature };
  }

  #begin(): Wait {
    const late = new FluxError("ETIMEDOUT", `the client has not signed its list for ${SIGN_MS / 1000} s`);
    this.#timer = setTimeout(() => this.#settle()?.reject(late), SIGN_MS);
    let settle!: Omit<Wait, "signed">;
    const signed = new Promise<object>((resolve, reject) => {
      settle = { resolve, reject };
    });
    return { signed, ...settle };
  }

  #settle(): Wait | undefined {
    clearTimeout(this.#timer);
    const wait = this.#wait;
    this.#wait = undefined;
    return wait;
  }
}
