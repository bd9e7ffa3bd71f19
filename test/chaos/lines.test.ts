/** The ledger sees what is missing, what is there twice and what is torn. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Account, Ledger, LINE, lines } from "./lines.js";
import { Random } from "./random.js";

const SEED = 7;
const COUNT = 1000;
const all = lines(SEED, 0, COUNT);

/** Takes it in pieces of any size. */
function account(...parts: readonly Uint8Array[]): Account {
  const ledger = new Ledger(SEED, COUNT);
  const random = new Random(1);
  const whole = Buffer.concat(parts);
  for (let at = 0; at < whole.length; ) {
    const size = random.integer(1, 300);
    ledger.take(whole.subarray(at, at + size));
    at += size;
  }
  return ledger.account();
}

describe("lines and their ledger", () => {
  it("all lines, each once", () => {
    const sha256 = createHash("sha256").update(all).digest("hex");
    expect(account(all)).toEqual({ received: all.length, lost: 0, doubled: 0, torn: 0, sha256 });
  });

  it("blocks of lines are the lines, and another seed makes others", () => {
    expect(Buffer.concat([lines(SEED, 0, 300), lines(SEED, 300, 700)]).equals(all)).toBe(true);
    const other = new Ledger(SEED + 1, COUNT);
    other.take(all);
    expect(other.account()).toMatchObject({ lost: all.length, torn: all.length });
  });

  it("missing lines are lost", () => {
    const parts = [all.subarray(0, 10 * LINE), all.subarray(13 * LINE)];
    expect(account(...parts)).toMatchObject({ lost: 3 * LINE, doubled: 0, torn: 0 });
  });

  it("lines that come again are doubled", () => {
    const parts = [all, all.subarray(0, 2 * LINE), all.subarray(0, LINE)];
    expect(account(...parts)).toMatchObject({ lost: 0, doubled: 3 * LINE, torn: 0 });
  });

  it("a line that is cut in two is torn, and lost", () => {
    const parts = [all.subarray(0, 10 * LINE + 20), all.subarray(11 * LINE)];
    // What is left of it makes one line with the next.
    expect(account(...parts)).toMatchObject({ lost: 2 * LINE, doubled: 0, torn: LINE + 20 });
    expect(account(all, all.subarray(0, 5))).toMatchObject({ lost: 0, torn: 5 });
  });

  it("a line with another byte in it is torn, and lost", () => {
    const changed = Buffer.from(all);
    changed[5 * LINE + 40] = 0x7a;
    expect(account(changed)).toMatchObject({ lost: LINE, torn: LINE });
  });

  it("lines in another order are no line less, and another hash", () => {
    const { sha256, ...rest } = account(all.subarray(LINE), all.subarray(0, LINE));
    expect(rest).toMatchObject({ lost: 0, doubled: 0, torn: 0 });
    expect(sha256).not.toBe(account(all).sha256);
  });
});
