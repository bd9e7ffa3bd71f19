import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Outbox, type Outgoing } from "../../../../proxy/flow/outbox.js";
import { decodeDataFrame } from "../../../../src/protocol/frame.js";
import { CLOSE, MAX_DATA, OUTPUT_WINDOW } from "../../../../src/protocol/messages.js";

const data = (size: number): Outgoing => ({
  type: "data",
  id: 1,
  rank: 0,
  stream: "stdout",
  data: new Uint8Array(size),
});
const end: Outgoing = { type: "end", id: 1, rank: 0 };

class Socket {
  readonly seqs: number[] = [];
  readonly types: string[] = [];
  bytes = 0;
  bufferedAmount = 0;
  sendText(text: string): void {
    const message = JSON.parse(text) as { seq: number; type: string };
    this.seqs.push(message.seq);
    this.types.push(message.type);
  }
  sendBinary(bytes: Uint8Array): void {
    const frame = decodeDataFrame(bytes);
    this.seqs.push(frame.seq);
    this.types.push(frame.type);
    this.bytes += frame.data.length;
  }
}

describe("Outbox", () => {
  let socket: Socket;
  let outbox: Outbox;
  let blocked: boolean[];
  beforeEach(() => {
    socket = new Socket();
    blocked = [];
    outbox = new Outbox(socket, (value) => blocked.push(value));
  });

  test("numbers all messages in one sequence", () => {
    for (const message of [end, data(1), end]) outbox.send(message);
    expect(socket.seqs).toEqual([1, 2, 3]);
    expect(socket.types).toEqual(["end", "data", "end"]);
    expect(blocked).toEqual([]);
  });

  test("blocks when the window is full and keeps the order", () => {
    for (let i = 0; i < OUTPUT_WINDOW / MAX_DATA; i++) outbox.send(data(MAX_DATA));
    expect(blocked).toEqual([true]);
    outbox.send(data(10));
    outbox.send(end);
    expect(socket.bytes).toBe(OUTPUT_WINDOW);
    expect(socket.types).not.toContain("end");
    outbox.ack(1);
    expect(socket.types.slice(-2)).toEqual(["data", "end"]);
    expect(blocked).toEqual([true, false]);
    expect(outbox.blocked).toBe(false);
  });

  test("a control message fits into a full window", () => {
    for (let i = 0; i < OUTPUT_WINDOW / MAX_DATA; i++) outbox.send(data(MAX_DATA));
    outbox.send(end);
    expect(socket.types.at(-1)).toBe("end");
  });

  test("an ack of what was never sent is malformed, one twice is nothing", () => {
    outbox.send(end);
    expect(() => outbox.ack(2)).toThrow(expect.objectContaining({ closeCode: CLOSE.malformed }));
    outbox.ack(1);
    outbox.ack(1);
  });

  test("blocks while the network takes nothing", () => {
    socket.bufferedAmount = 9 * 1024 * 1024;
    outbox.send(end);
    expect(blocked).toEqual([true]);
    socket.bufferedAmount = 0;
    outbox.drained();
    expect(blocked).toEqual([true, false]);
  });

  test("says when nothing is waiting", () => {
    let empty = 0;
    for (let i = 0; i <= OUTPUT_WINDOW / MAX_DATA; i++) outbox.send(data(MAX_DATA));
    outbox.whenEmpty(() => empty++);
    expect(empty).toBe(0);
    outbox.ack(1);
    expect(empty).toBe(1);
  });

  test("whatever is sent and acknowledged, all comes once, in order, and within the window", () => {
    const step = fc.oneof(
      fc.record({ send: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: MAX_DATA })) }),
      fc.record({ control: fc.constant(true) }),
      fc.record({ ack: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const net = new Socket();
        const sizes: number[] = [];
        const box = new Outbox(
          {
            sendText: (text) => {
              net.sendText(text);
              sizes.push(0);
            },
            sendBinary: (bytes) => {
              net.sendBinary(bytes);
              sizes.push(decodeDataFrame(bytes).data.length);
            },
            bufferedAmount: 0,
          },
          () => {},
        );
        const sent: number[] = [];
        let acked = 0;
        for (const s of steps) {
          if ("send" in s) {
            box.send(data(s.send));
            sent.push(s.send);
          } else if ("control" in s) {
            box.send(end);
            sent.push(0);
          } else {
            const seq = Math.round(acked + (sizes.length - acked) * s.ack);
            if (seq > 0) box.ack(seq);
            acked = seq;
          }
          const ahead = sizes.slice(acked).reduce((sum, size) => sum + size, 0);
          expect(ahead).toBeLessThanOrEqual(OUTPUT_WINDOW);
        }
        while (acked < sizes.length) {
          acked = sizes.length;
          box.ack(acked);
        }
        expect(sizes).toEqual(sent);
        expect(net.seqs).toEqual(sent.map((_, i) => i + 1));
        expect(box.blocked).toBe(false);
      }),
    );
  });
});
