/** Numbered lines from a seed. They show which bytes of a transfer are missing, doubled or torn. */
import { createHash } from "node:crypto";
import { Random } from "./random.js";

/** A line: its number in 12 digits, a space, 50 hexadecimal digits that follow from the seed and the number, a newline. */
export const LINE = 64;
const DIGITS = 12;
const HEX = Buffer.from("0123456789abcdef");
const NEWLINE = 10;

/** Writes line `n` at the offset `at`. */
function writeLine(target: Buffer, at: number, seed: number, n: number): void {
  for (let digit = DIGITS - 1, rest = n; digit >= 0; digit--, rest = Math.floor(rest / 10))
    target[at + digit] = 48 + (rest % 10);
  target[at + DIGITS] = 32;
  const random = new Random(seed + Math.imul(n, 0x9e3779b1));
  for (let i = DIGITS + 1; i < LINE - 1; ) {
    let word = random.integer(0, 0xffffffff);
    for (let end = Math.min(i + 8, LINE - 1); i < end; i++, word >>>= 4) target[at + i] = HEX[word & 15] ?? 0;
  }
  target[at + LINE - 1] = NEWLINE;
}

/** `count` lines from line `first` on. */
export function lines(seed: number, first: number, count: number): Buffer {
  const block = Buffer.allocUnsafe(count * LINE);
  for (let n = 0; n < count; n++) writeLine(block, n * LINE, seed, first + n);
  return block;
}

export interface Account {
  /** Bytes that arrived. */
  received: number;
  /** Bytes of lines that never arrived. */
  lost: number;
  /** Bytes of lines that arrived again. */
  doubled: number;
  /** Bytes that are not part of any line that was sent. */
  torn: number;
  /** SHA-256 of all bytes, in the order of arrival. */
  sha256: string;
}

/** Counts the lines that arrive. */
export class Ledger {
  readonly #seed: number;
  readonly #times: Uint8Array;
  readonly #hash = createHash("sha256");
  readonly #expected = Buffer.allocUnsafe(LINE);
  #rest: Buffer = Buffer.alloc(0);
  #received = 0;
  #torn = 0;

  /** @param count the number of lines that are sent */
  constructor(seed: number, count: number) {
    this.#seed = seed;
    this.#times = new Uint8Array(count);
  }

  get received(): number {
    return this.#received;
  }

  take(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#received += chunk.length;
    const data = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, at)) {
      this.#line(data.subarray(at, end + 1));
      at = end + 1;
    }
    this.#rest = data.subarray(at);
  }

  account(): Account {
    let lost = 0;
    let doubled = 0;
    for (const times of this.#times) {
      if (times === 0) lost += LINE;
      else doubled += (times - 1) * LINE;
    }
    const torn = this.#torn + this.#rest.length;
    return { received: this.#received, lost, doubled, torn, sha256: this.#hash.copy().digest("hex") };
  }

  #line(line: Buffer): void {
    const n = Number(line.toString("latin1", 0, DIGITS));
    const times = this.#times[n];
    if (times !== undefined) {
      writeLine(this.#expected, 0, this.#seed, n);
      if (line.equals(this.#expected)) {
        this.#times[n] = times + 1;
        return;
      }
    }
    this.#torn += line.length;
  }
}
