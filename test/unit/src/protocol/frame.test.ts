import { describe, expect, it } from "vitest";
import { ALL_RANKS, decodeDataFrame, encodeDataFrame } from "../../../../src/protocol/frame.js";
import { plain } from "../../../support/peer.js";

const frame = {
  seq: 0x0102_0304_0506,
  id: 0x0708090a,
  rank: 0x0b0c0d0e,
  stream: "stdin",
  data: Uint8Array.of(9, 8),
};

// PROTOCOL.md, "Binary frames".
const wire = [
  ...[1, 5],
  ...[1, 2, 3, 4, 5, 6],
  ...[7, 8, 9, 10],
  ...[11, 12, 13, 14],
  ...[0x73, 0x74, 0x64, 0x69, 0x6e],
  ...[9, 8],
];

describe("data frame", () => {
  it("is laid out as PROTOCOL.md says", () => {
    expect(plain(encodeDataFrame(frame))).toEqual(wire);
  });

  it("is read as it was written", () => {
    expect(decodeDataFrame(Uint8Array.from(wire))).toEqual({ type: "data", ...frame });
  });

  it("has data as a view of the message, wherever that is in its buffer", () => {
    const buffer = Uint8Array.from([...Array(3).fill(0xff), ...wire]);
    const { data, seq } = decodeDataFrame(buffer.subarray(3));
    expect([data.buffer === buffer.buffer, data.byteOffset, plain(data), seq]).toEqual([
      true,
      3 + 16 + 5,
      [9, 8],
      frame.seq,
    ]);
  });

  it("carries the largest numbers, the longest name and no data", () => {
    const most = {
      seq: 2 ** 48 - 1,
      id: 0x7fffffff,
      rank: ALL_RANKS,
      stream: `${"é".repeat(127)}x`,
      data: new Uint8Array(0),
    };
    expect(decodeDataFrame(encodeDataFrame(most))).toEqual({ type: "data", ...most });
  });

  it("keeps a byte order mark that a name begins with", () => {
    expect(decodeDataFrame(encodeDataFrame({ ...frame, stream: "\ufeffx" })).stream).toBe("\ufeffx");
  });

  it.each(["", "x".repeat(256), "é".repeat(128)])(
    "is not made for a name that it cannot carry: %j",
    (stream) => {
      expect(() => encodeDataFrame({ ...frame, stream })).toThrow(TypeError);
    },
  );

  it.each([
    ["binary frame ends before its data", wire.slice(0, 15)],
    ["binary frame ends before its data", []],
    ["binary frame of unknown kind 2", [2, ...wire.slice(1)]],
    ["binary frame ends before its data", wire.slice(0, 20)],
    ["the stream's name is not UTF-8", [...wire.slice(0, 16), 0xff, ...wire.slice(17)]],
    ["binary frame without a stream's name", [1, 0, ...wire.slice(2, 16), 1, 2, 3]],
  ])("is refused: %s", (message, bytes) => {
    expect(() => decodeDataFrame(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ name: "ProtocolError", closeCode: 4400, message }),
    );
  });
});
