/** The names of the hosts of an instance's brokers. */
import { FluxError } from "../../src/errors.js";
import type { Hosts } from "../../src/protocol/hosts.js";
import { encodeIdset, MAX_IDS } from "../../src/protocol/idset.js";
import { decodeHostlist } from "./hostlist.js";

/** The longest hostlist of a broker, in characters, and that of a client. */
const MAX_ATTRIBUTE = 8 * 1024 * 1024;
const MAX_REQUEST = 64 * 1024;

/** The most names of a client's hostlist on an instance of fewer brokers: a list of more has names that do not exist. */
const MIN_NAMES = 256;

/** The most unknown names in the text of an error. */
const MAX_UNKNOWN = 8;

/** The hosts of one instance, by rank and by name. Decoded when they are needed first. */
export class HostNames {
  /** The broker's attribute `hostlist`; undefined if the broker has none. */
  readonly hostlist: string | undefined;
  /** The number of brokers. */
  readonly size: number;
  #names: readonly string[] | undefined;
  #ranks: ByName | undefined;

  constructor(hostlist: string | undefined, size: number) {
    this.hostlist = hostlist;
    this.size = size;
  }

  /**
   * The ranks of hosts, ascending, with their names.
   * @param hostlist an RFC 29 hostlist; undefined for all hosts
   * @param visible selects the ranks that the client may know. Without them, a name is as unknown as any other
   * @throws FluxError EINVAL if `hostlist` is not a hostlist, EHOSTUNREACH if it has an unknown name, ENODATA if the names are not known
   */
  find(hostlist: string | undefined, visible: (rank: number) => boolean): Hosts {
    const names = this.#decoded();
    const wanted = hostlist === undefined ? [...names.keys()] : this.#ranksOf(hostlist, visible);
    const ranks = wanted.filter(visible);
    if (ranks.length > MAX_IDS) {
      throw new FluxError(
        "EINVAL",
        `these are ${ranks.length} ranks, and a request goes to at most ${MAX_IDS}`,
      );
    }
    return { ranks: encodeIdset(ranks), hosts: ranks.map((rank) => names[rank] as string) };
  }

  #ranksOf(hostlist: string, visible: (rank: number) => boolean): number[] {
    const { first, next } = this.#byName();
    const unknown = new Set<string>();
    const found = new Uint8Array(this.size);
    /** The first ranks of the names so far: a client may say a name many times, and it may have many ranks. */
    const done = new Uint8Array(this.size);
    for (const name of readHostlist(hostlist, Math.max(this.size, MIN_NAMES))) {
      const head = first.get(name) ?? NONE;
      if (head !== NONE && done[head] === 1) continue;
      let known = false;
      for (let rank = head; rank !== NONE; rank = next[rank] as number) {
        if (!visible(rank)) continue;
        known = true;
        found[rank] = 1;
      }
      if (!known) unknown.add(name);
      else done[head] = 1;
    }
    if (unknown.size > 0) throw new FluxError("EHOSTUNREACH", `no such host: ${listed([...unknown])}`);
    const ranks: number[] = [];
    for (let rank = found.indexOf(1); rank >= 0; rank = found.indexOf(1, rank + 1)) ranks.push(rank);
    if (ranks.length === 0) throw new FluxError("EINVAL", "the hostlist has no names");
    return ranks;
  }

  #decoded(): readonly string[] {
    this.#names ??= this.#decode();
    if (this.#names.length !== this.size) {
      throw new FluxError("ENODATA", "the broker does not say which hosts its instance has");
    }
    return this.#names;
  }

  #decode(): string[] {
    const { hostlist = "", size } = this;
    if (hostlist.length > MAX_ATTRIBUTE) return [];
    try {
      return decodeHostlist(hostlist, size);
    } catch {
      return [];
    }
  }

  #byName(): ByName {
    if (this.#ranks === undefined) {
      const names = this.#decoded();
      const first = new Map<string, number>();
      const next = new Int32Array(names.length).fill(NONE);
      for (let rank = names.length - 1; rank >= 0; rank--) {
        const name = names[rank] as string;
        next[rank] = first.get(name) ?? NONE;
        first.set(name, rank);
      }
      this.#ranks = { first, next };
    }
    return this.#ranks;
  }
}

/** The end of a chain of ranks. */
const NONE = -1;

/** The ranks of each name, as chains: an array for each name would take ten times the time of the rest. */
interface ByName {
  /** The first rank of each name. */
  readonly first: ReadonlyMap<string, number>;
  /** For each rank, the next rank with the same name. */
  readonly next: Int32Array;
}

function readHostlist(text: string, max: number): string[] {
  if (text.length > MAX_REQUEST)
    throw new FluxError("EINVAL", `the hostlist is over ${MAX_REQUEST} characters`);
  try {
    return decodeHostlist(text, Math.min(max, MAX_IDS));
  } catch (cause) {
    throw new FluxError("EINVAL", (cause as TypeError).message, { cause });
  }
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_UNKNOWN;
  return names.slice(0, MAX_UNKNOWN).join() + (more > 0 ? ` and ${more} more` : "");
}
