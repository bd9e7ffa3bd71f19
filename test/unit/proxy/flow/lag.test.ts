import { beforeEach, describe, expect, test } from "vitest";
import { Lag } from "../../../../proxy/flow/lag.js";

const KIB = 1024;

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
    lag.received(512 * KIB - 1);
    expect(questions).toHaveLength(0);
    lag.received(1);
    expect([questions.length, lag.behind]).toEqual([1, false]);
  });

  test("asks one thing at a time, again and again", () => {
    for (let n = 1; n <= 5; n++) {
      lag.received(512 * KIB);
      lag.received(512 * KIB);
      expect(questions).toHaveLength(1);
      answer();
    }
    expect([lag.behind, caughtUp]).toEqual([false, 0]);
  });

  test("is behind while much comes before the answer, and has caught up with it", () => {
    lag.received(512 * KIB);
    lag.received(1024 * KIB);
    expect(lag.behind).toBe(false);
    lag.received(1);
    expect([lag.behind, caughtUp]).toEqual([true, 0]);
    answer();
    expect([lag.behind, caughtUp]).toEqual([false, 1]);
  });
});
