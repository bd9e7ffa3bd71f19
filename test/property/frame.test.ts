import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DataFrame, decodeDataFrame, encodeDataFrame } from "../../src/protocol/frame.js";
import { ProtocolError } from "../../src/protocol/protocol-error.js";

const name = fc
  .string({ unit: "binary", minLength: 1, maxLength: 60 })
  .filter((text) => !text.includes("\0"))
  .filter((text) => Buffer.from(text).toString() === text && new TextEncoder().encode(text).length <= 255);

const frame: fc.Arbitrary<DataFrame> = fc.record({
  type: fc.constant("data" as const),
  seq: fc.maxSafeInteger().map((n) => Math.abs(n) % 2 ** 48),
  id: fc.nat(0x7fffffff),
  rank: fc.integer({ min: 0, max: 0xffffffff }),
  stream: name,
  data: fc.uint8Array({ maxLength: 100 }),
});

/** The frame or the ProtocolError; anything else that is thrown fails the test. */
function decoded(bytes: Uint8Array): DataFrame | ProtocolError {
  try {
    return decodeDataFrame(bytes);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
}

describe("data frame", () => {
  it("decodes to its encoded value at any offset of its buffer", () => {
    fc.assert(
      fc.property(frame, fc.nat(20), fc.nat(20), (written, before, after) => {
        const bytes = encodeDataFrame(written);
        const buffer = new Uint8Array(before + bytes.length + after).fill(0xa5);
        buffer.set(bytes, before);
        expect(decodeDataFrame(buffer.subarray(before, before + bytes.length))).toEqual(written);
      }),
    );
  });

  it("is never misread when it is cut short: its data is shorter, or it is refused", () => {
    fc.assert(
      fc.property(frame, fc.nat(200), (written, keep) => {
        const bytes = encodeDataFrame(written);
        const whole = bytes.length - written.data.length;
        const read = decoded(bytes.subarray(0, keep));
        if (keep < whole) expect(read).toBeInstanceOf(ProtocolError);
        else expect(read).toEqual({ ...written, data: written.data.subarray(0, keep - whole) });
      }),
    );
  });

  it("is refused, or encodes to the same bytes again, for any bytes", () => {
    const header = fc
      .tuple(fc.constant(1), fc.nat(8), fc.uint8Array({ minLength: 14, maxLength: 40 }))
      .map(([kind, length, rest]) => Uint8Array.of(kind, length, ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), header), (bytes) => {
        const read = decoded(bytes);
        if (read instanceof ProtocolError) expect(read.closeCode).toBe(4400);
        else expect([...encodeDataFrame(read)]).toEqual([...bytes]);
      }),
      { numRuns: 500 },
    );
  });
});
