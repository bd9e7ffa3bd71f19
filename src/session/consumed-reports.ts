/** Reports consumed output to the proxy. PROTOCOL.md, "Flow control". */
import type { DataFrame } from "../protocol/frame.js";
import type { Outgoing } from "./outgoing.js";

/** This number of bytes of one stream is reported at once, fewer within REPORT_MS. */
const REPORT_BYTES = 16 * 1024;
const REPORT_MS = 20;

type Share = {
  type: "consumed";
  id: number;
  rank: number;
  stream: string;
  bytes: number;
};

/** Adds up consumed bytes by stream, and sends them as `consumed` messages. */
export class ConsumedReports {
  readonly #out: Outgoing;
  /** True if a rank of a request has not sent its last message; only then the proxy waits for reports. */
  readonly #owes: (id: number, rank: number) => boolean;
  readonly #shares = new Map<string, Share>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(out: Outgoing, owes: (id: number, rank: number) => boolean) {
    this.#out = out;
    this.#owes = owes;
  }

  /** The application has consumed a frame. */
  add({ id, rank, stream, data }: DataFrame): void {
    const key = `${id} ${rank} ${stream}`;
    const share = this.#shares.get(key) ?? { type: "consumed", id, rank, stream, bytes: 0 };
    this.#shares.set(key, share);
    share.bytes += data.length;
    if (share.bytes >= REPORT_BYTES) {
      this.#shares.delete(key);
      this.#report(share);
    } else {
      this.#timer ??= setTimeout(() => this.#reportAll(), REPORT_MS);
    }
  }

  /** Sends no more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #reportAll(): void {
    this.#timer = undefined;
    const shares = [...this.#shares.values()];
    this.#shares.clear();
    for (const share of shares) this.#report(share);
  }

  #report(share: Share): void {
    if (share.bytes > 0 && this.#owes(share.id, share.rank)) this.#out.json(share);
  }
}
