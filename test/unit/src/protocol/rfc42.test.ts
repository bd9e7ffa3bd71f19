import { describe, expect, it } from "vitest";
import { fromBase64, ioBytes, ioObject, toBase64 } from "../../../../src/protocol/rfc42.js";
import { bytes, plain } from "../../../support/peer.js";

describe("I/O object", () => {
  it("is text where the bytes are UTF-8", () => {
    expect(ioObject("stdout", "3", bytes("héllo\n"))).toEqual({
      stream: "stdout",
      rank: "3",
      data: "héllo\n",
    });
  });

  it("keeps a byte order mark", () => {
    expect(ioObject("stdout", "0", Uint8Array.of(0xef, 0xbb, 0xbf, 0x78)).data).toBe("\ufeffx");
  });

  it.each([
    ["a NUL, which flux-core refuses in signed content", [0x61, 0x00], "YQA="],
    ["a lone byte", [0xff], "/w=="],
    ["half of a character", [0xc3], "ww=="],
    ["a surrogate", [0xed, 0xa0, 0x80], "7aCA"],
    ["an overlong NUL", [0xc0, 0x80], "wIA="],
  ])("is base64 where they are not: %s", (_, data, base64) => {
    expect(ioObject("stderr", "0", Uint8Array.from(data))).toEqual({
      stream: "stderr",
      rank: "0",
      encoding: "base64",
      data: base64,
    });
  });

  it("gives its bytes", () => {
    const io = { stream: "stdout", rank: "0" };
    expect(plain(ioBytes({ ...io, data: "é" }))).toEqual([0xc3, 0xa9]);
    expect(plain(ioBytes({ ...io, data: "é", encoding: "UTF-8" }))).toEqual([0xc3, 0xa9]);
    expect(plain(ioBytes({ ...io, data: "/w==", encoding: "base64" }))).toEqual([0xff]);
    expect(plain(ioBytes({ ...io, eof: true }))).toEqual([]);
  });

  it("refuses data that its encoding does not allow", () => {
    const io = { stream: "stdout", rank: "0", data: "*" };
    expect(() => ioBytes({ ...io, encoding: "base64" })).toThrow(new TypeError("data is not base64"));
    const error = new TypeError("I/O object has an unknown encoding: utf-16");
    expect(() => ioBytes({ ...io, encoding: "utf-16" })).toThrow(error);
  });
});

describe("base64", () => {
  it.each([
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ])("is that of RFC 4648 section 10: %j", (text, base64) => {
    expect(toBase64(bytes(text))).toBe(base64);
    expect(fromBase64(base64)).toEqual(bytes(text));
  });

  it("has no bound on its length", () => {
    const large = new Uint8Array(300_000).map((_, i) => i * 7);
    expect(toBase64(large)).toBe(Buffer.from(large).toString("base64"));
  });

  it.each(["A", "A===", "Zm9v=", "Zg-_", "\u0100"])("refuses %j", (text) => {
    expect(() => fromBase64(text)).toThrow(new TypeError("data is not base64"));
  });
});
