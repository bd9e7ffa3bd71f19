import { beforeEach, describe, expect, test } from "vitest";
import { Lag } from "../../../../proxy/flow/lag.js";

const MIB = 1024 * 1024;

describe("Lag", () => {
  let lag: Lag;
  let questions: (() => void)[];
  let caughtUp: number;
  beforeEach(() => {
    questions = [];
    caughtUp = 0;
    lag = new Lag(
      (answered) => questions.push(answered),
      () => caughtUp++,
    );
  });
  const answer = () => questions.shift()?.();

  test("asks nothing of a process that writes little", () => {
    lag.received(MIB - 1);
    expect(questions).toHaveLength(0);
    lag.received(1);
    expect([questions.length, lag.behind]).toEqual([1, false]);
  });

  test("asks one thing at a time, again after each MiB", () => {
    for (let n = 1; n <= 5; n++) {
      lag.received(MIB);
      lag.received(MIB);
      expect(questions).toHaveLength(1);
      answer();
    }
    expect([lag.behind, caughtUp]).toEqual([false, 0]);
  });

  test("is behind while much comes before the answer, and has caught up with it", () => {
    lag.received(MIB);
    lag.received(2 * MIB);
    expect(lag.behind).toBe(false);
    lag.received(1);
    expect([lag.behind, caughtUp]).toEqual([true, 0]);
    answer();
    expect([lag.behind, caughtUp]).toEqual([false, 1]);
  });
});
