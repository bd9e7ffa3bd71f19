/** The ledger detects missing, doubled and torn lines. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Account, Ledger, LINE, lines } from "./lines.js";
import { Random } from "./random.js";

const SEED = 7;
const COUNT = 1000;
const all = lines(SEED, 0, COUNT);

/** Feeds the ledger in pieces of random size. */
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

  it("a block has the same bytes as its lines, and another seed gives other lines", () => {
    expect(Buffer.concat([lines(SEED, 0, 300), lines(SEED, 300, 700)]).equals(all)).toBe(true);
    const other = new Ledger(SEED + 1, COUNT);
    other.take(all);
    expect(other.account()).toMatchObject({ lost: all.length, torn: all.length });
  });

  it("missing lines are lost", () => {
    const parts = [all.subarray(0, 10 * LINE), all.subarray(13 * LINE)];
    expect(account(...parts)).toMatchObject({ lost: 3 * LINE, doubled: 0, torn: 0 });
  });

  it("repeated lines are doubled", () => {
    const parts = [all, all.subarray(0, 2 * LINE), all.subarray(0, LINE)];
    expect(account(...parts)).toMatchObject({ lost: 0, doubled: 3 * LINE, torn: 0 });
  });

  it("a line without its middle is torn, and lost", () => {
    const parts = [all.subarray(0, 10 * LINE + 20), all.subarray(11 * LINE)];
    // Its rest forms one line with the next line.
    expect(account(...parts)).toMatchObject({ lost: 2 * LINE, doubled: 0, torn: LINE + 20 });
    expect(account(all, all.subarray(0, 5))).toMatchObject({ lost: 0, torn: 5 });
  });

  it("a line with another byte in it is torn, and lost", () => {
    const changed = Buffer.from(all);
    changed[5 * LINE + 40] = 0x7a;
    expect(account(changed)).toMatchObject({ lost: LINE, torn: LINE });
  });

  it("lines in another order are all there, with another hash", () => {
    const { sha256, ...rest } = account(all.subarray(LINE), all.subarray(0, LINE));
    expect(rest).toMatchObject({ lost: 0, doubled: 0, torn: 0 });
    expect(sha256).not.toBe(account(all).sha256);
  });
});
