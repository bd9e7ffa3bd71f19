/** Overflow that drops the oldest output, and reports the number of bytes. */
import type { Backlog } from "../../flow/backlog.js";
import type { RankOutput } from "../../flow/rank-output.js";
import type { OverflowStrategy } from "./overflow-strategy.js";

/** The strategy "gap". */
export class GapOverflow implements OverflowStrategy {
  readonly error = undefined;
  readonly #output: RankOutput;
  readonly #backlog: Backlog;

  constructor(output: RankOutput, backlog: Backlog) {
    this.#output = output;
    this.#backlog = backlog;
  }

  takes(): boolean {
    return true;
  }

  took(): void {
    while (this.#output.bytes > this.#backlog.high) this.#output.drop();
  }

  stopped(): boolean {
    return true;
  }

  drained(): void {}
  signed(): void {}
  end(): void {}
}
