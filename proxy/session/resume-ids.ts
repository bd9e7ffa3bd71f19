/**
 * The ids that resume the sessions of a proxy. An id is random, and a secret of its client. Earlier ids stay valid until the
 * client has shown that it has the newest: a `welcome` may be lost with its socket, and of two answers to a repeated `hello` the
 * client may hear either. PROTOCOL.md, "Resuming".
 */
import { createHash, randomBytes } from "node:crypto";

const BYTES = 32;

/** The most ids of a session that are valid beside the newest and the one that was used last. */
const SPARE = 8;

/** Valid ids by their digests, with their owners. */
export class ResumeIds<T> {
  readonly #owners = new Map<string, T>();
  /** The digests of each owner's valid ids, oldest first. */
  readonly #ids = new Map<T, string[]>();

  /** The owner of a valid id. */
  find(id: string): T | undefined {
    return this.#owners.get(digest(id));
  }

  /**
   * Makes a new id. Valid beside it are `used` and the newest {@link SPARE} of the others, until {@link confirm}.
   * @param used the id that the client has resumed with
   */
  rotate(owner: T, used?: string): string {
    const id = randomBytes(BYTES).toString("base64url");
    const kept = used === undefined ? undefined : digest(used);
    const others = (this.#ids.get(owner) ?? []).filter((key) => key !== kept);
    this.#set(owner, [...others.slice(-SPARE), ...(kept === undefined ? [] : [kept]), digest(id)]);
    return id;
  }

  /** The client has the newest id: all others become invalid. */
  confirm(owner: T): void {
    const ids = this.#ids.get(owner);
    if (ids !== undefined && ids.length > 1) this.#set(owner, ids.slice(-1));
  }

  /** The session is over: none of its ids is valid. */
  delete(owner: T): void {
    this.#set(owner, []);
    this.#ids.delete(owner);
  }

  #set(owner: T, keys: string[]): void {
    for (const key of this.#ids.get(owner) ?? []) this.#owners.delete(key);
    for (const key of keys) this.#owners.set(key, owner);
    this.#ids.set(owner, keys);
  }
}

/** Lookup by digest: its time then depends on no secret. */
function digest(id: string): string {
  return createHash("sha256").update(id).digest("base64");
}
