/** One input stream of an exec: what of it was passed on, and what the client knows of it. PROTOCOL.md, "Input". */
import { CLOSE, ProtocolError } from "../../src/protocol/messages.js";

/** Stands for all ranks, where input is not signed for each. */
const EVERY_RANK = -1;

export class InputStream {
  /** Credit that the client was not sent, because input was refused. */
  withheld = 0;
  /** True from `refused` on, until a renewal allows input again. */
  refused = false;
  /** Whether input was dropped: what the process has of the stream has no end that would be true. */
  dropped = false;
  /** Bytes passed on, by rank. */
  readonly #passed = new Map<number, number>();
  readonly #ended = new Set<number>();

  /** @throws ProtocolError if the client has sent its end */
  mustBeOpen(name: string, rank = EVERY_RANK): void {
    if (this.#ended.has(rank)) throw new ProtocolError(CLOSE.malformed, `input after the end of ${name}`);
  }

  end(rank = EVERY_RANK): void {
    this.#ended.add(rank);
  }

  pass(bytes: number, rank = EVERY_RANK): void {
    this.#passed.set(rank, (this.#passed.get(rank) ?? 0) + bytes);
  }

  /** Bytes passed on to every one of `ranks`. */
  passedTo(ranks: Iterable<number>): number {
    const toAll = this.#passed.get(EVERY_RANK);
    if (toAll !== undefined || this.#passed.size === 0) return toAll ?? 0;
    let least = Number.POSITIVE_INFINITY;
    for (const rank of ranks) least = Math.min(least, this.#passed.get(rank) ?? 0);
    return Number.isFinite(least) ? least : 0;
  }

  /** The credit that was withheld, which is the client's from now on. */
  release(): number {
    const { withheld } = this;
    this.withheld = 0;
    return withheld;
  }
}
