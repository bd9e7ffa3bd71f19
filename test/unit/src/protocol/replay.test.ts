import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../../src/protocol/protocol-error.js";
import { Replay } from "../../../../src/protocol/replay.js";

describe("Replay", () => {
  it("numbers from 1 and counts unacknowledged messages", () => {
    const replay = new Replay({ keep: true });
    replay.push("a", 10);
    replay.push("b", 5);
    expect([replay.last, replay.unacked, replay.bytes]).toEqual([2, 2, 15]);
    replay.ack(1);
    expect([replay.last, replay.unacked, replay.bytes]).toEqual([2, 1, 5]);
  });

  it("gives the messages after the last that the peer has taken", () => {
    const replay = new Replay({ keep: true });
    for (const message of ["a", "b", "c"]) replay.push(message, 1);
    expect(replay.resume(1)).toBe(1);
    expect([replay.get(2), replay.get(3)]).toEqual(["b", "c"]);
    expect(replay.unacked).toBe(2);
  });

  it("resumes after messages that were acknowledged meanwhile, and not at a number that was never sent", () => {
    const replay = new Replay({ keep: true });
    for (const message of ["a", "b"]) replay.push(message, 1);
    replay.ack(1);
    expect([0, 1, 2, 3].map((seq) => replay.resume(seq))).toEqual([1, 1, 2, undefined]);
  });

  it("refuses an ack of a message that was never sent, and ignores an old ack", () => {
    const replay = new Replay({ keep: true });
    replay.push("a", 1);
    const error = new ProtocolError(4400, "ack of message 2, the last one sent is 1");
    expect(() => replay.ack(2)).toThrow(error);
    replay.ack(1);
    replay.ack(0);
    expect([replay.last, replay.unacked]).toEqual([1, 0]);
  });

  it("that keeps nothing counts, and resumes nothing", () => {
    const replay = new Replay({ keep: false });
    replay.push("a", 7);
    expect([replay.last, replay.bytes, replay.resume(0)]).toEqual([1, 7, undefined]);
  });

  it("has every unacknowledged message, in any order of events", () => {
    const step = fc.oneof(
      fc.record({ push: fc.nat(100) }),
      fc.record({ ack: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const replay = new Replay({ keep: true });
        const sizes: number[] = [];
        let acked = 0;
        for (const step of steps) {
          if ("push" in step) {
            replay.push(`m${sizes.length + 1}`, step.push);
            sizes.push(step.push);
          } else {
            acked = Math.max(acked, Math.floor(step.ack * sizes.length));
            replay.ack(acked);
          }
          expect(replay.last).toBe(sizes.length);
          expect(replay.unacked).toBe(sizes.length - acked);
          expect(replay.bytes).toBe(sizes.slice(acked).reduce((sum, size) => sum + size, 0));
          for (let seq = acked + 1; seq <= sizes.length; seq++) expect(replay.get(seq)).toBe(`m${seq}`);
        }
      }),
    );
  });
});
