import { describe, expect, it } from "vitest";
import { ACK_BYTES, ACK_MESSAGES } from "../../../../src/protocol/messages.js";
import { ProtocolError } from "../../../../src/protocol/protocol-error.js";
import { Sequence } from "../../../../src/protocol/sequence.js";

describe("Sequence", () => {
  it("takes each number once, in order", () => {
    const sequence = new Sequence();
    expect([1, 2, 1, 2, 3].map((seq) => sequence.receive(seq, 0))).toEqual([true, true, false, false, true]);
    expect(sequence.last).toBe(3);
  });

  it("closes with 4412 where one is missing", () => {
    const sequence = new Sequence();
    sequence.receive(1, 0);
    expect(() => sequence.receive(3, 0)).toThrow(new ProtocolError(4412, "message 3 came after message 1"));
    expect(() => sequence.receive(3, 0)).toThrow(expect.objectContaining({ closeCode: 4412 }));
    expect(sequence.last).toBe(1);
  });

  it("owes an ack after a number of bytes or of messages", () => {
    const sequence = new Sequence();
    sequence.receive(1, ACK_BYTES - 1);
    expect(sequence.due).toBe(false);
    sequence.receive(2, 1);
    expect(sequence.due).toBe(true);
    expect(sequence.ack()).toBe(2);
    expect(sequence.due).toBe(false);
    for (let seq = 3; seq < 2 + ACK_MESSAGES; seq++) sequence.receive(seq, 0);
    expect(sequence.due).toBe(false);
    sequence.receive(2 + ACK_MESSAGES, 0);
    expect(sequence.due).toBe(true);
  });

  it("does not count a message that came twice", () => {
    const sequence = new Sequence();
    sequence.receive(1, 0);
    sequence.receive(1, ACK_BYTES);
    expect(sequence.due).toBe(false);
  });
});
