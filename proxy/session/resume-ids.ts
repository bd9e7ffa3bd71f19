/**
 * What resumes the sessions of a proxy. An id is random and known to its client alone. Those before it stay good until
 * the client is known to have it: a welcome may be lost with its socket, and a `hello` may come twice, of which the
 * client hears one answer. PROTOCOL.md, "Resuming".
 */
import { createHash, randomBytes } from "node:crypto";

const BYTES = 32;

/** How many may be good beside the one that was used last, and the newest. */
const SPARE = 8;

export class ResumeIds<T> {
  readonly #owners = new Map<string, T>();
  /** Oldest first; the last one is the newest. */
  readonly #ids = new Map<T, string[]>();

  /** Whose id it is, if anybody's. */
  find(id: string): T | undefined {
    return this.#owners.get(digest(id));
  }

  /** A new id. @param used the one that the client had */
  rotate(owner: T, used?: string): string {
    const id = randomBytes(BYTES).toString("base64url");
    const kept = used === undefined ? undefined : digest(used);
    const others = (this.#ids.get(owner) ?? []).filter((key) => key !== kept);
    this.#set(owner, [...others.slice(-SPARE), ...(kept === undefined ? [] : [kept]), digest(id)]);
    return id;
  }

  /** The client has the newest id. */
  confirm(owner: T): void {
    const ids = this.#ids.get(owner);
    if (ids !== undefined && ids.length > 1) this.#set(owner, ids.slice(-1));
  }

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

/** How long a lookup takes then says nothing of the id. */
function digest(id: string): string {
  return createHash("sha256").update(id).digest("base64");
}
