import { beforeEach, describe, expect, test } from "vitest";
import type { ControlMessage } from "../../../../proxy/flow/message.js";
import { Outbox } from "../../../../proxy/flow/outbox.js";
import type { RankOutput } from "../../../../proxy/flow/rank-output.js";
import { MAX_OUTPUT } from "../../../../proxy/flow/stream-output.js";
import type { DataFrame } from "../../../../src/protocol/frame.js";
import { OUTPUT_WINDOW } from "../../../../src/protocol/messages.js";
import { CLOSE } from "../../../../src/protocol/protocol-error.js";
import { MemorySocket } from "./memory-socket.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const end = (id: number): ControlMessage => ({ type: "end", id, rank: 0 });
const credit = (bytes: number): ControlMessage => ({ type: "credit", id: 9, stream: "stdin", bytes });

describe("Outbox", () => {
  let socket: MemorySocket;
  let outbox: Outbox;
  let overruns: number;
  let over: number[];
  let drained: number;
  beforeEach(() => {
    socket = new MemorySocket();
    [overruns, over, drained] = [0, [], 0];
    outbox = new Outbox({ replay: true, overrun: () => overruns++ });
    outbox.attach(socket, 0);
  });
  const open = (id: number): RankOutput =>
    outbox.open({ id, rank: 0, drained: () => drained++, over: () => over.push(id) });
  const fill = (output: RankOutput, bytes: number, stream = "stdout") => {
    for (let left = bytes; left > 0; left -= MAX_OUTPUT) {
      output.push(stream, new Uint8Array(Math.min(left, MAX_OUTPUT)));
    }
  };
  const sentOf = (id: number) =>
    socket.frames.filter((frame) => frame.id === id).reduce((sum, { data }) => sum + data.length, 0);
  const seqs = () => socket.messages.map(({ seq }) => seq);

  test("numbers all messages in one sequence, each when it is sent", () => {
    const output = open(1);
    outbox.send(credit(1));
    output.push("stdout", Uint8Array.of(1));
    output.eof("stdout");
    output.end(end(1));
    expect(socket.types).toEqual(["credit", "data", "eof", "end"]);
    expect(seqs()).toEqual([1, 2, 3, 4]);
    expect(over).toEqual([1]);
  });

  test("cuts frames at 64 KiB, and keeps the bytes", () => {
    const output = open(1);
    const data = Uint8Array.from({ length: 150_000 }, (_, i) => i % 251);
    output.push("stdout", data);
    expect(socket.frames.map((frame) => frame.data.length)).toEqual([MAX_OUTPUT, MAX_OUTPUT, 18_928]);
    expect(Buffer.compare(Buffer.concat(socket.frames.map((frame) => frame.data)), data)).toBe(0);
  });

  describe("the window", () => {
    test("a stream has no more in it than is free, and goes on when its bytes are consumed", () => {
      const output = open(1);
      fill(output, 4 * MIB);
      expect(sentOf(1)).toBeGreaterThan(OUTPUT_WINDOW / 2 - 2 * KIB);
      expect(sentOf(1)).toBeLessThanOrEqual(OUTPUT_WINDOW / 2);
      const before = sentOf(1);
      output.consumed("stdout", 100 * KIB);
      expect(sentOf(1)).toBe(before + 100 * KIB);
      expect(output.bytes).toBe(4 * MIB - sentOf(1));
    });

    test("is shared by those who send at the same time", () => {
      socket.bufferedAmount = MIB;
      const outputs = [1, 2, 3, 4].map(open);
      for (const output of outputs) fill(output, 2 * MIB);
      expect(socket.bytes).toBe(0);
      socket.bufferedAmount = 0;
      outbox.drained();
      for (const id of [1, 2, 3, 4])
        expect(Math.abs(sentOf(id) - OUTPUT_WINDOW / 5)).toBeLessThan(MAX_OUTPUT);
    });

    test("takes turns, one frame each", () => {
      socket.bufferedAmount = MIB;
      const outputs = [1, 2, 3].map(open);
      for (const output of outputs) fill(output, 2 * MAX_OUTPUT);
      socket.bufferedAmount = 0;
      outbox.drained();
      expect(socket.frames.map(({ id }) => id)).toEqual([1, 2, 3, 1, 2, 3]);
    });

    test("however many do not consume, one that has nothing in it gets on", () => {
      for (let id = 1; id <= 50; id++) fill(open(id), OUTPUT_WINDOW);
      const output = open(99);
      fill(output, MIB);
      for (let consumed = 0; consumed < MIB; ) {
        const more = sentOf(99) - consumed;
        expect(more).toBeGreaterThan(0);
        consumed += more;
        output.consumed("stdout", more);
      }
      expect(sentOf(99)).toBe(MIB);
    });

    test("frames are not cut below 1 KiB while there is more", () => {
      const output = open(1);
      fill(output, 4 * MIB);
      output.consumed("stdout", 300);
      output.consumed("stdout", 300);
      const sizes = () => socket.frames.map((frame) => frame.data.length);
      const count = sizes().length;
      output.consumed("stdout", 600);
      expect(sizes().length).toBeLessThanOrEqual(count + 1);
      expect(Math.min(...sizes())).toBeGreaterThanOrEqual(KIB);
    });

    test("a rank that is over has left it", () => {
      const [first, second] = [open(1), open(2)];
      fill(first, OUTPUT_WINDOW / 2 - 2 * KIB);
      fill(second, 2 * MIB);
      const before = sentOf(2);
      expect(before).toBeLessThan(MIB + 2 * KIB);
      first.end(end(1));
      expect(over).toEqual([1]);
      expect(sentOf(2)).toBeGreaterThan(before);
    });

    test("more than was sent is not consumed", () => {
      const output = open(1);
      output.push("stdout", new Uint8Array(10));
      output.consumed("stdout", 4);
      expect(() => output.consumed("stdout", 7)).toThrow(
        expect.objectContaining({ closeCode: CLOSE.malformed }),
      );
      expect(() => output.consumed("other", 1)).toThrow("consumed 1 bytes of other, of which 0 were left");
      output.consumed("stdout", 6);
    });
  });

  describe("order", () => {
    test("control does not wait for output that waits for the window", () => {
      const output = open(1);
      fill(output, 4 * MIB);
      outbox.send(credit(5));
      expect(socket.types.at(-1)).toBe("credit");
      expect(output.bytes).toBeGreaterThan(0);
    });

    test("eof and the last message of a rank wait for its output", () => {
      const output = open(1);
      fill(output, 3 * MIB);
      output.eof("stdout");
      output.end(end(1));
      expect(new Set(socket.types)).toEqual(new Set(["data"]));
      while (output.bytes > 0) output.consumed("stdout", 64 * KIB);
      expect(socket.types.slice(-2)).toEqual(["eof", "end"]);
      expect([sentOf(1), over]).toEqual([3 * MIB, [1]]);
    });

    test("dropped output is reported where it is missing, once", () => {
      const output = open(1);
      socket.bufferedAmount = MIB;
      for (const byte of [1, 2, 3]) output.push("stdout", new Uint8Array(20 * KIB).fill(byte));
      output.drop();
      output.drop();
      output.eof("stdout");
      socket.bufferedAmount = 0;
      outbox.drained();
      expect(socket.types).toEqual(["gap", "data", "eof"]);
      expect(socket.messages[0]).toMatchObject({ id: 1, rank: 0, stream: "stdout", bytes: 40 * KIB });
      expect(socket.frames[0]?.data[0]).toBe(3);
    });

    test("the fullest stream of a rank is dropped from", () => {
      const output = open(1);
      socket.bufferedAmount = MIB;
      output.push("stdout", new Uint8Array(20 * KIB));
      output.push("stderr", new Uint8Array(30 * KIB));
      output.drop();
      expect(output.bytes).toBe(20 * KIB);
      expect(outbox.backlog.high).toBe(MIB);
      socket.bufferedAmount = 0;
      outbox.drained();
      output.end(end(1));
      expect(socket.messages.map(({ type, ...rest }) => [type, "stream" in rest ? rest.stream : ""])).toEqual(
        [
          ["data", "stdout"],
          ["gap", "stderr"],
          ["end", ""],
        ],
      );
    });
  });

  describe("the network", () => {
    test("is given no more than 256 KiB and a frame ahead", () => {
      socket.fast = false;
      const output = open(1);
      fill(output, MIB);
      expect(socket.bytes).toBeLessThanOrEqual(256 * KIB + MAX_OUTPUT);
      outbox.send(credit(1));
      expect(socket.types.at(-1)).toBe("credit");
      const before = drained;
      while (output.bytes > 0) {
        socket.bufferedAmount = 0;
        outbox.drained();
      }
      expect(drained).toBeGreaterThan(before);
      expect(sentOf(1)).toBe(MIB);
    });

    test("small pieces that wait go together", () => {
      socket.bufferedAmount = MIB;
      const output = open(1);
      const text = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`);
      for (const line of text) output.push("stdout", new TextEncoder().encode(line));
      socket.bufferedAmount = 0;
      outbox.drained();
      expect(socket.frames.length).toBeLessThan(60);
      expect(Buffer.concat(socket.frames.map(({ data }) => data)).toString()).toBe(text.join(""));
    });

    test("output waits while thousands of messages are not acknowledged", () => {
      const output = open(1);
      for (let i = 0; i < 20_000; i++) output.push("stdout", Uint8Array.of(i));
      const { length } = socket.messages;
      expect(length).toBeLessThan(17_000);
      outbox.ack(length);
      expect(sentOf(1)).toBe(20_000);
    });

    test("output waits while 8 MiB of it are consumed and not acknowledged", () => {
      const output = open(1);
      fill(output, 20 * MIB);
      for (let n = 0; n < socket.frames.length; n++) {
        output.consumed("stdout", (socket.frames[n] as DataFrame).data.length);
      }
      expect(socket.bytes).toBeGreaterThanOrEqual(8 * MIB);
      expect(socket.bytes).toBeLessThan(8 * MIB + MAX_OUTPUT);
      outbox.ack(socket.messages.length);
      expect(socket.bytes).toBeGreaterThan(8 * MIB + MAX_OUTPUT);
    });

    test("messages over 16 MiB that nobody acknowledges are an overrun, one that is as large is not", () => {
      const big = (): ControlMessage => ({
        type: "response",
        id: 1,
        rank: 0,
        payload: { text: "x".repeat(9 * MIB) },
      });
      outbox.send(big());
      outbox.ack(1);
      outbox.send({ type: "response", id: 1, rank: 0, payload: { text: "x".repeat(30 * MIB) } });
      expect(overruns).toBe(0);
      outbox.send(end(1));
      expect([overruns, socket.messages.length]).toEqual([1, 2]);
      outbox.ack(2);
      outbox.send(end(1));
      expect([overruns, socket.messages.length]).toEqual([1, 3]);
    });

    test("an ack of what was never sent is malformed, one twice is nothing", () => {
      outbox.send(end(1));
      expect(() => outbox.ack(2)).toThrow(expect.objectContaining({ closeCode: CLOSE.malformed }));
      outbox.ack(1);
      outbox.ack(1);
    });

    test("says once when nothing waits any more", () => {
      let empty = 0;
      const output = open(1);
      fill(output, 3 * MIB);
      outbox.whenEmpty(() => empty++);
      expect(empty).toBe(0);
      while (output.bytes > 0) output.consumed("stdout", 64 * KIB);
      output.consumed("stdout", 1);
      expect(empty).toBe(1);
    });
  });

  describe("another socket", () => {
    let second: MemorySocket;
    beforeEach(() => {
      second = new MemorySocket();
    });

    test("gets again what was not taken, as it was, then what waited", () => {
      const output = open(1);
      output.push("stdout", Uint8Array.of(1));
      outbox.send(credit(1));
      outbox.detach();
      outbox.send(credit(2));
      output.push("stdout", Uint8Array.of(2));
      expect(output.bytes).toBe(1);
      expect(outbox.attach(second, 1)).toBe(true);
      expect(second.messages).toMatchObject([
        { type: "credit", seq: 2, bytes: 1 },
        { type: "credit", seq: 3, bytes: 2 },
        { type: "data", seq: 4, data: Uint8Array.of(2) },
      ]);
      expect(second.messages[0]).toEqual(socket.messages[1]);
    });

    test("has what is sent again in the window already", () => {
      const output = open(1);
      fill(output, 3 * MIB);
      const sent = sentOf(1);
      outbox.detach();
      expect(outbox.attach(second, 0)).toBe(true);
      expect(second.bytes).toBe(sent);
      output.consumed("stdout", 64 * KIB);
      expect(second.bytes).toBe(sent + 64 * KIB);
    });

    test("is given what is sent again at its pace, and control comes after it", () => {
      fill(open(1), 2 * MIB);
      outbox.detach();
      second.fast = false;
      outbox.attach(second, 0);
      expect(second.bytes).toBeLessThanOrEqual(256 * KIB + MAX_OUTPUT);
      outbox.send(credit(1));
      expect(new Set(second.types)).toEqual(new Set(["data"]));
      while (second.types.at(-1) !== "credit") {
        second.bufferedAmount = 0;
        outbox.drained();
      }
      expect(second.messages.map(({ seq }) => seq)).toEqual(second.messages.map((_, i) => i + 1));
    });

    test("is not given again what is acknowledged before its turn", () => {
      fill(open(1), 2 * MIB);
      outbox.detach();
      second.fast = false;
      outbox.attach(second, 0);
      const given = second.messages.length;
      outbox.ack(given + 3);
      second.bufferedAmount = 0;
      outbox.drained();
      expect(second.messages[given]).toMatchObject({ seq: given + 4 });
      expect(() => outbox.ack(1000)).toThrow("ack of message 1000");
    });

    test("is refused for a message that was never sent, and goes on after what was acknowledged", () => {
      for (let i = 0; i < 3; i++) outbox.send(credit(1));
      outbox.ack(2);
      outbox.detach();
      expect(outbox.attach(second, 4)).toBe(false);
      expect(second.messages).toEqual([]);
      expect(outbox.attach(second, 1)).toBe(true);
      expect(second.messages.map(({ seq }) => seq)).toEqual([3]);
    });

    test("is refused where nothing is kept", () => {
      outbox = new Outbox({ replay: false, overrun: () => {} });
      expect(outbox.attach(socket, 1)).toBe(false);
      expect(outbox.attach(socket, 0)).toBe(true);
      outbox.send(credit(1));
      outbox.detach();
      expect(outbox.attach(second, 1)).toBe(false);
    });
  });

  describe("states", () => {
    const snapshot = (id: number, n: number): ControlMessage => ({
      type: "response",
      id,
      rank: 0,
      payload: { n },
    });
    /** A number that goes up, of which the client is to know the last. */
    const counter = (id: number, size = 0) => {
      let [now, known] = [0, 0];
      const state = {
        next: () => {
          if (now === known) return undefined;
          known = now;
          return { ...snapshot(id, now), payload: { n: now, x: "x".repeat(size) } };
        },
      };
      return {
        state,
        up: () => {
          now++;
          outbox.changed(state);
        },
      };
    };
    const numbers = (id: number) =>
      socket.messages.flatMap((message) =>
        message.type === "response" && message.id === id ? [message.payload["n"]] : [],
      );

    test("are sent at once, and only if there are any", () => {
      const one = counter(1);
      one.up();
      outbox.changed(one.state);
      one.up();
      expect(numbers(1)).toEqual([1, 2]);
      expect(seqs()).toEqual([1, 2]);
    });

    test("are sent as they are when the network has room, without the changes before", () => {
      socket.bufferedAmount = MIB;
      const [one, two] = [counter(1), counter(2)];
      for (let i = 0; i < 1000; i++) one.up();
      two.up();
      expect(socket.messages).toEqual([]);
      socket.bufferedAmount = 0;
      outbox.drained();
      expect([numbers(1), numbers(2)]).toEqual([[1000], [1]]);
    });

    test("take turns with output, both ways", () => {
      socket.fast = false;
      socket.bufferedAmount = MIB;
      const output = open(9);
      fill(output, MIB);
      const counters = Array.from({ length: 20 }, (_, i) => counter(i + 1, 60 * KIB));
      for (const { up } of counters) up();
      while (socket.messages.length < 30) {
        socket.bufferedAmount = 0;
        outbox.drained();
      }
      expect(socket.types.slice(0, 30)).toEqual(
        Array.from({ length: 15 }, () => ["data", "response"]).flat(),
      );
    });

    test("wait while much is unacknowledged, and no longer", () => {
      const one = counter(1, 100 * KIB);
      for (let i = 0; i < 100; i++) one.up();
      expect(numbers(1).length).toBeLessThanOrEqual(12);
      const sent = numbers(1).length;
      outbox.ack(sent);
      expect(numbers(1).slice(sent)).toEqual([100]);
      expect(overruns).toBe(0);
    });

    test("wait for another socket, after what is sent again", () => {
      const [one, two] = [counter(1), counter(2)];
      one.up();
      outbox.detach();
      one.up();
      one.up();
      two.up();
      socket = new MemorySocket();
      outbox.attach(socket, 0);
      expect(numbers(1)).toEqual([1, 3]);
      expect(numbers(2)).toEqual([1]);
      expect(seqs()).toEqual([1, 2, 3]);
    });

    test("are forgotten", () => {
      socket.bufferedAmount = MIB;
      const one = counter(1);
      one.up();
      outbox.forget(one.state);
      socket.bufferedAmount = 0;
      outbox.drained();
      expect(socket.messages).toEqual([]);
      one.up();
      expect(numbers(1)).toEqual([2]);
    });
  });
});
