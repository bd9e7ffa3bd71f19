import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeFrame, FrameDecoder } from "../../../../proxy/wire/framing.js";
import { decodeMessage, type Message, WireError } from "../../../../proxy/wire/message.js";
import { anyMessage, concat, cut, plain } from "./arbitrary.js";
import { meaning, transcripts } from "./transcripts.js";

const PREFIX = 8;

function decode(chunks: Iterable<Uint8Array>, decoder = new FrameDecoder()): Message[] {
  return [...chunks].flatMap((chunk) => [...decoder.push(chunk)]);
}

/** A prefix that announces a body of `length` bytes. */
function prefix(length: number): Uint8Array {
  const bytes = Uint8Array.of(0x12, 0x00, 0xee, 0xff, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(4, length);
  return bytes;
}

describe.each(transcripts)("the recorded frames of $name", ({ frames }) => {
  const stream = concat(frames.map(({ bytes }) => bytes));
  const recorded = frames.map((frame) => frame.meaning);

  it("encode to the same bytes", () => {
    for (const { bytes } of frames) expect(encodeFrame(decodeMessage(bytes.subarray(PREFIX)))).toEqual(bytes);
  });

  it("are found whole and one byte at a time", () => {
    expect(decode([stream]).map(meaning)).toEqual(recorded);
    expect(decode(Array.from(stream, (byte) => Uint8Array.of(byte))).map(meaning)).toEqual(recorded);
  });

  it("are found however they are split", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 30 }), (cuts) => {
        expect(decode(cut(stream, cuts)).map(meaning)).toEqual(recorded);
      }),
      { numRuns: 20 },
    );
  });
});

describe("FrameDecoder", () => {
  it("gives any messages back however they are split", () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (messages, cuts) => {
          const decoder = new FrameDecoder();
          const decoded = decode(cut(concat(messages.map(encodeFrame)), cuts), decoder);
          expect(decoded.map(plain)).toEqual(messages.map(plain));
          expect(decoder.held).toBe(0);
        },
      ),
    );
  });

  it("throws nothing but WireError at random bytes, holds no more than one frame, and does not recover", () => {
    const limit = 64;
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 0, max: 80 }).map(prefix), // or else nothing would ever pass the magic
    );
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), (chunks) => {
        const decoder = new FrameDecoder(limit);
        let failure: unknown;
        for (const bytes of chunks) {
          try {
            decode([bytes], decoder);
            expect(failure).toBeUndefined();
          } catch (error) {
            expect(error).toBeInstanceOf(WireError);
            expect(error).toBe(failure ?? error);
            failure = error;
          }
          expect(decoder.held).toBeLessThan(PREFIX + limit);
        }
      }),
    );
  });

  it("refuses a length over the limit before the body comes, and takes one at the limit", () => {
    expect(() => decode([prefix(101)], new FrameDecoder(100))).toThrow(
      "frame of 101 bytes is over the limit of 100",
    );
    expect(decode([prefix(100)], new FrameDecoder(100))).toEqual([]);
    expect(() => decode([prefix(0xffffffff)])).toThrow(WireError);
  });

  it("refuses what does not begin with the magic, once it has a prefix", () => {
    expect(() => decode([new TextEncoder().encode("GET / HTTP/1.1\r\n")])).toThrow(
      "frame does not start with the magic",
    );
  });

  it("gives the messages that come before a fault", () => {
    const good = transcripts[0]?.frames[0]?.bytes as Uint8Array;
    const decoder = new FrameDecoder();
    const got: Message[] = [];
    expect(() => {
      for (const message of decoder.push(concat([good, new Uint8Array(PREFIX)]))) got.push(message);
    }).toThrow(WireError);
    expect(got).toHaveLength(1);
  });

  it("takes a large body in time that grows with its length", () => {
    const message: Message = {
      type: "event",
      flags: 0x03,
      userid: 0,
      rolemask: 0,
      routes: [],
      topic: "big",
      payload: new Uint8Array(8 * 1024 * 1024).fill(1),
      sequence: 1,
    };
    const frame = encodeFrame(message);
    const chunks = Array.from({ length: Math.ceil(frame.length / 512) }, (_, i) =>
      frame.subarray(i * 512, (i + 1) * 512),
    );
    expect(decode(chunks)[0]?.payload).toHaveLength(8 * 1024 * 1024);
  });
});

describe("a frame that comes in small chunks", () => {
  it("is held in its bytes, and not in the buffers that they came in", () => {
    const decoder = new FrameDecoder();
    const frame = encodeFrame({
      type: "response",
      flags: 0x02,
      userid: 0,
      rolemask: 0,
      routes: [],
      payload: new Uint8Array(8192).map((_, i) => i),
      errnum: 0,
      matchtag: 1,
    });
    const before = process.memoryUsage().arrayBuffers;
    const messages: Message[] = [];
    for (const byte of frame) {
      const chunk = new Uint8Array(new ArrayBuffer(64 * 1024), 0, 1).fill(byte);
      messages.push(...decoder.push(chunk));
    }
    // 512 MiB, were each chunk kept.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(256 * 1024 * 1024);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.payload).toEqual(new Uint8Array(8192).map((_, i) => i));
  });

  it("leaves what was decoded before as it was", () => {
    const bytes = fc.uint8Array({ maxLength: 9000 });
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 700 })),
        (all, cuts) => {
          const decoder = new FrameDecoder();
          const stream = Buffer.concat(
            all.map((payload) =>
              encodeFrame({
                type: "response",
                flags: 0x02,
                userid: 0,
                rolemask: 0,
                routes: [],
                payload,
                errnum: 0,
                matchtag: 1,
              }),
            ),
          );
          const messages: Message[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = cuts[i % (cuts.length || 1)] ?? 100;
            messages.push(...decoder.push(new Uint8Array(stream.subarray(at, at + size))));
            at += size;
          }
          expect(messages.map(({ payload }) => [...(payload ?? [])])).toEqual(
            all.map((payload) => [...payload]),
          );
        },
      ),
    );
  });
});
