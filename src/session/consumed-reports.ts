/** Tells the proxy what of the output was consumed. PROTOCOL.md, "Flow control". */
import type { DataFrame } from "../protocol/frame.js";
import type { Outgoing } from "./outgoing.js";

/** So much of one stream is told at once, less of it within TELL_MS. */
const TELL_BYTES = 16 * 1024;
const TELL_MS = 20;

type Share = {
  type: "consumed";
  id: number;
  rank: number;
  stream: string;
  bytes: number;
};

export class ConsumedReports {
  readonly #out: Outgoing;
  /** Whether a rank of a request is still to be told of. */
  readonly #counts: (id: number, rank: number) => boolean;
  readonly #shares = new Map<string, Share>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(out: Outgoing, counts: (id: number, rank: number) => boolean) {
    this.#out = out;
    this.#counts = counts;
  }

  add({ id, rank, stream, data }: DataFrame): void {
    const key = `${id} ${rank} ${stream}`;
    const share = this.#shares.get(key) ?? { type: "consumed", id, rank, stream, bytes: 0 };
    this.#shares.set(key, share);
    share.bytes += data.length;
    if (share.bytes >= TELL_BYTES) {
      this.#shares.delete(key);
      this.#tell(share);
    } else {
      this.#timer ??= setTimeout(() => this.#tellAll(), TELL_MS);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #tellAll(): void {
    this.#timer = undefined;
    const shares = [...this.#shares.values()];
    this.#shares.clear();
    for (const share of shares) this.#tell(share);
  }

  #tell(share: Share): void {
    if (share.bytes > 0 && this.#counts(share.id, share.rank)) this.#out.json(share);
  }
}
