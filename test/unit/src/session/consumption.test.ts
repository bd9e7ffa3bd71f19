import { describe, expect, it } from "vitest";
import { deliver, hold } from "../../../../src/session/consumption.js";

describe("deliver", () => {
  it("takes a chunk for consumed when it was given out", () => {
    const events: string[] = [];
    deliver(
      () => events.push("given"),
      () => events.push("consumed"),
    );
    expect(events).toEqual(["given", "consumed"]);
  });

  it("waits for every hold, each of which is let go once", () => {
    let consumed = 0;
    const holds: (() => void)[] = [];
    deliver(
      () => holds.push(hold(), hold()),
      () => consumed++,
    );
    holds[0]?.();
    holds[0]?.();
    expect(consumed).toBe(0);
    holds[1]?.();
    expect(consumed).toBe(1);
  });

  it("knows which chunk is given out where one is given out in the course of another", () => {
    const events: string[] = [];
    let outer = () => {};
    deliver(
      () => {
        deliver(
          () => {},
          () => events.push("inner"),
        );
        outer = hold();
      },
      () => events.push("outer"),
    );
    expect(events).toEqual(["inner"]);
    outer();
    expect(events).toEqual(["inner", "outer"]);
  });

  it("counts a value as consumed if its receiver throws", () => {
    let consumed = 0;
    const give = () => {
      throw new Error("no");
    };
    expect(() => deliver(give, () => consumed++)).toThrow("no");
    expect(consumed).toBe(1);
    // Nothing is given out any more.
    expect(() => hold()()).not.toThrow();
  });
});
