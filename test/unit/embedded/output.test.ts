import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChunkSplitter, LineSplitter, type Splitter } from "../../../proxy/embedded/output.js";

function pieces(splitter: Splitter, chunks: Uint8Array[]): string[] {
  const all = [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
  return all.map((piece) => Buffer.from(piece).toString("latin1"));
}

/** Lines as a buffer of `size` bytes gives them, by the plainest means. */
function lines(text: string, size: number): string[] {
  return (text.match(/[^\n]*\n|[^\n]+/g) ?? []).flatMap(
    (line) => line.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [],
  );
}

/** Bytes with many newlines, in random chunks. */
const chunks = fc.array(
  fc
    .array(fc.oneof(fc.constant(0x0a), fc.integer({ min: 0, max: 255 })), { maxLength: 20 })
    .map((bytes) => Uint8Array.from(bytes)),
  { maxLength: 20 },
);

describe("LineSplitter", () => {
  it("gives the same lines however the bytes are split", () => {
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 30 }), (split, size) => {
        const whole = Buffer.concat(split).toString("latin1");
        expect(pieces(new LineSplitter(size), split)).toEqual(lines(whole, size));
      }),
    );
  });

  it("holds an unfinished line until its end", () => {
    const splitter = new LineSplitter(100);
    expect(splitter.push(Buffer.from("par"))).toEqual([]);
    expect(splitter.push(Buffer.from("tial"))).toEqual([]);
    expect(pieces(splitter, [])).toEqual(["partial"]);
    expect(splitter.end()).toEqual([]);
  });

  it("takes time in proportion to a line's length", () => {
    const splitter = new LineSplitter(4 * 1024 * 1024);
    for (let i = 0; i < 1024 * 1024; i += 1) splitter.push(Uint8Array.of(0x61));
    expect(splitter.end()[0]).toHaveLength(1024 * 1024);
  });
});

describe("ChunkSplitter", () => {
  it("keeps every byte and no piece over the size", () => {
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 30 }), (split, size) => {
        const got = pieces(new ChunkSplitter(size), split);
        expect(got.join("")).toBe(Buffer.concat(split).toString("latin1"));
        expect(got.every((piece) => piece.length > 0 && piece.length <= size)).toBe(true);
      }),
    );
  });
});
