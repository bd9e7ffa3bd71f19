import { describe, expect, it } from "vitest";
import { concat, toBytes } from "../../../../src/subprocess/bytes.js";
import { bytes } from "../../../support/peer.js";

describe("toBytes", () => {
  it("takes text as UTF-8, and bytes as they are", () => {
    const data = Uint8Array.of(1, 2);
    expect(toBytes("é")).toEqual(Uint8Array.of(0xc3, 0xa9));
    expect(toBytes(data)).toBe(data);
    expect(toBytes(data.buffer)).toEqual(data);
    expect(toBytes(Buffer.from("x"))).toEqual(Buffer.from("x"));
  });

  it.each([
    [null, "null"],
    [undefined, "undefined"],
    [7, "number"],
    [[1, 2], "object"],
    [{}, "object"],
  ])("refuses %j", (chunk, what) => {
    expect(() => toBytes(chunk)).toThrow(new TypeError(`input is strings or Uint8Arrays, not ${what}`));
  });
});

describe("concat", () => {
  it("joins, views of buffers and empty pieces too", () => {
    const view = bytes("xaby").subarray(1, 3);
    expect(concat([view, bytes(""), bytes("c")])).toEqual(bytes("abc"));
    expect(concat([])).toEqual(bytes(""));
  });

  it("is a copy", () => {
    const piece = bytes("a");
    const joined = concat([piece]);
    piece[0] = 0;
    expect(joined).toEqual(bytes("a"));
  });
});
