import { describe, expect, test } from "vitest";
import { Backlog } from "../../../../proxy/flow/backlog.js";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The limits while these bytes wait. */
function limits(bytes: number, present: boolean) {
  const backlog = new Backlog();
  backlog.add(bytes);
  backlog.present = present;
  const { high, low, full } = backlog;
  return { high, low, full };
}

describe("the output that waits for a client", () => {
  test.each([
    [true, 0, MIB, false],
    [true, 3.5 * MIB, MIB / 2, false],
    [true, 256 * MIB, 64 * KIB, false],
    [true, 256 * MIB + 1, 64 * KIB, true],
    [false, 0, 256 * KIB, false],
    [false, 15 * MIB, 16 * KIB, false],
    [false, 16 * MIB + 1, 16 * KIB, true],
  ])("present %s, %d bytes: a process may have %d, and is dropped from: %s", (present, bytes, high, full) => {
    expect(limits(bytes, present)).toEqual({ high, low: high / 4, full });
  });

  test("has the limits of a client that is there, when that is back", () => {
    const backlog = new Backlog();
    backlog.present = false;
    backlog.present = true;
    expect(backlog.high).toBe(MIB);
  });
});
