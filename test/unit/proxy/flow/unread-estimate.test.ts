import { beforeEach, describe, expect, test } from "vitest";
import { UnreadEstimate } from "../../../../proxy/flow/unread-estimate.js";

const KIB = 1024;

describe("UnreadEstimate", () => {
  let estimate: UnreadEstimate;
  let probes: (() => void)[];
  let caughtUp: number;
  beforeEach(() => {
    probes = [];
    caughtUp = 0;
    estimate = new UnreadEstimate(
      (answered) => probes.push(answered),
      () => caughtUp++,
    );
  });
  const answer = () => probes.shift()?.();

  test("sends no probe while a process writes little", () => {
    estimate.received(512 * KIB - 1);
    expect(probes).toHaveLength(0);
    estimate.received(1);
    expect([probes.length, estimate.behind]).toEqual([1, false]);
  });

  test("sends one probe at a time, again and again", () => {
    for (let n = 1; n <= 5; n++) {
      estimate.received(512 * KIB);
      estimate.received(512 * KIB);
      expect(probes).toHaveLength(1);
      answer();
    }
    expect([estimate.behind, caughtUp]).toEqual([false, 0]);
  });

  test("is behind while much output comes before the answer, and has caught up at the answer", () => {
    estimate.received(512 * KIB);
    estimate.received(1024 * KIB);
    expect(estimate.behind).toBe(false);
    estimate.received(1);
    expect([estimate.behind, caughtUp]).toEqual([true, 0]);
    answer();
    expect([estimate.behind, caughtUp]).toEqual([false, 1]);
  });
});
