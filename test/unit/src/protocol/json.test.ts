import { describe, expect, it } from "vitest";
import { parseJson, stringifyJson } from "../../../../src/protocol/json.js";

describe("parseJson", () => {
  it.each([
    ["2^53 - 1 is a number", "9007199254740991", 9007199254740991],
    ["2^53 is a BigInt, although a double holds it", "9007199254740992", 9007199254740992n],
    ["2^53 + 1", "9007199254740993", 9007199254740993n],
    ["2^63 - 1, the greatest id", "9223372036854775807", 9223372036854775807n],
    ["-2^63", "-9223372036854775808", -9223372036854775808n],
    ["a fraction stays a double", "1234567890123456789.5", Number("1234567890123456789.5")],
    ["digits after a point", "0.1234567890123456789", Number("0.1234567890123456789")],
    ["an exponent", "1234567890123456789e2", Number("1234567890123456789e2")],
    ["more than 32 digits", "1".repeat(33), Number("1".repeat(33))],
    ["a string", '"1234567890123456789"', "1234567890123456789"],
    ["a string with an escaped quote", '"\\" 1234567890123456789"', '" 1234567890123456789'],
    ["a string that ends in a backslash", '["\\\\",1234567890123456789]', ["\\", 1234567890123456789n]],
    [
      "a string that escapes a mark",
      '["\\u00231","#1","$#",1234567890123456789]',
      ["#1", "#1", "$#", 1234567890123456789n],
    ],
    ["keys", '{"#1":1234567890123456789,"$":"$"}', { "#1": 1234567890123456789n, $: "$" }],
  ])("%s", (_, text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  it("keeps a key __proto__ an own property", () => {
    const value = parseJson('{"__proto__":{"a":1234567890123456789}}') as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it.each([
    "{1234567890123456789:1}",
    "01234567890123456789",
    "- 1234567890123456789",
    '"1234567890123456789',
  ])("%s is not JSON", (text) => expect(() => parseJson(text)).toThrow(SyntaxError));

  it("reads a string of any length", () => {
    const long = '\\"'.repeat(5_000_000);
    const [text, id] = parseJson(`["${long}",1234567890123456789]`) as [string, bigint];
    expect([text.length, id]).toEqual([5_000_000, 1234567890123456789n]);
  });
});

describe("stringifyJson", () => {
  it("writes the digits of a BigInt, and leaves the other values as they are", () => {
    const value = {
      id: 2n ** 63n - 1n,
      small: 1n,
      text: "#1",
      more: "$",
      list: ['"#2"', -3n],
      "#k": undefined,
    };
    expect(stringifyJson(value)).toBe(
      '{"id":9223372036854775807,"small":1,"text":"#1","more":"$","list":["\\"#2\\"",-3]}',
    );
  });

  it("writes digits also where a program has given BigInt a toJSON", () => {
    const prototype = BigInt.prototype as { toJSON?: () => string };
    prototype.toJSON = () => "text";
    try {
      expect(stringifyJson({ id: 2n ** 62n })).toBe('{"id":4611686018427387904}');
    } finally {
      delete prototype.toJSON;
    }
  });

  it("throws for a circular structure", () => {
    const loop: { self?: object } = {};
    loop.self = loop;
    expect(() => stringifyJson(loop)).toThrow(TypeError);
  });
});
