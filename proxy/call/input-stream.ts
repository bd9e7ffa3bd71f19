/** One input stream of an exec: the bytes that were passed on, and its state for the client. PROTOCOL.md, "Input". */
import { malformed } from "../../src/protocol/protocol-error.js";

/** Stands for all ranks, if the client does not sign input for each. */
const EVERY_RANK = -1;

/** The account of one stream. */
export class InputStream {
  /** Credit that the client was not sent, in bytes, because input was refused. */
  withheld = 0;
  /** True from the message `refused` until a renewal allows input again. */
  refused = false;
  /** True if input was dropped. Then the stream is never ended: the process would take a part for the whole. */
  dropped = false;
  /** Bytes passed on, by rank. */
  readonly #passed = new Map<number, number>();
  readonly #ended = new Set<number>();

  /** @throws ProtocolError if the client has sent its end */
  mustBeOpen(name: string, rank = EVERY_RANK): void {
    if (this.#ended.has(rank)) throw malformed(`input after the end of ${name}`);
  }

  end(rank = EVERY_RANK): void {
    this.#ended.add(rank);
  }

  pass(bytes: number, rank = EVERY_RANK): void {
    this.#passed.set(rank, (this.#passed.get(rank) ?? 0) + bytes);
  }

  /** The bytes that were passed on to each of `ranks`, at least. */
  passedTo(ranks: Iterable<number>): number {
    const toAll = this.#passed.get(EVERY_RANK);
    if (toAll !== undefined || this.#passed.size === 0) return toAll ?? 0;
    let least = Number.POSITIVE_INFINITY;
    for (const rank of ranks) least = Math.min(least, this.#passed.get(rank) ?? 0);
    return Number.isFinite(least) ? least : 0;
  }

  /** Releases the withheld credit. @returns its bytes */
  release(): number {
    const { withheld } = this;
    this.withheld = 0;
    return withheld;
  }
}
