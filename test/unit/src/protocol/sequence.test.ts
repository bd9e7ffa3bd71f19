import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../../src/protocol/messages.js";
import { Sequence } from "../../../../src/protocol/sequence.js";

describe("Sequence", () => {
  it("counts from 1", () => {
    const sequence = new Sequence();
    expect([sequence.last, sequence.next(), sequence.next(), sequence.last]).toEqual([0, 1, 2, 2]);
  });

  it("takes the next number, and no other", () => {
    const sequence = new Sequence();
    sequence.receive(1);
    sequence.receive(2);
    for (const wrong of [0, 1, 2, 4]) {
      const error = new ProtocolError(4412, `message ${wrong} came after message 2`);
      expect(() => sequence.receive(wrong)).toThrow(error);
    }
    sequence.receive(3);
    expect(sequence.last).toBe(3);
  });

  it("closes with 4412", () => {
    expect(() => new Sequence().receive(2)).toThrow(expect.objectContaining({ closeCode: 4412 }));
  });
});
