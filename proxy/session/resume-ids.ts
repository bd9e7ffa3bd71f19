/**
 * What resumes the sessions of a proxy. An id is random, known to its client alone, and good once; the one before it stays
 * good until the client is known to have the new one. PROTOCOL.md, "Resuming".
 */
import { createHash, randomBytes } from "node:crypto";

const BYTES = 32;

interface Ids {
  current: string;
  previous: string | undefined;
}

export class ResumeIds<T> {
  readonly #owners = new Map<string, T>();
  readonly #ids = new Map<T, Ids>();

  /** Whose id it is, if anybody's. */
  find(id: string): T | undefined {
    return this.#owners.get(digest(id));
  }

  /** A new id. @param used the one that the client has; any other is not good any more */
  rotate(owner: T, used?: string): string {
    this.delete(owner);
    const id = randomBytes(BYTES).toString("base64url");
    const ids = { current: digest(id), previous: used === undefined ? undefined : digest(used) };
    this.#ids.set(owner, ids);
    for (const key of [ids.current, ids.previous]) if (key) this.#owners.set(key, owner);
    return id;
  }

  /** The client has the current id. */
  confirm(owner: T): void {
    const ids = this.#ids.get(owner);
    if (ids?.previous === undefined) return;
    this.#owners.delete(ids.previous);
    ids.previous = undefined;
  }

  delete(owner: T): void {
    const ids = this.#ids.get(owner);
    this.#ids.delete(owner);
    for (const key of [ids?.current, ids?.previous]) if (key) this.#owners.delete(key);
  }
}

/** How long a lookup takes then says nothing of the id. */
function digest(id: string): string {
  return createHash("sha256").update(id).digest("base64");
}
