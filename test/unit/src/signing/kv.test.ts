import { describe, expect, test } from "vitest";
import { decodeKv, encodeKv, KV_LIMIT, KvError, type KvValue } from "../../../../src/signing/kv.js";
import { vectors } from "./vectors.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const DBL_MAX =
  "179769313486231570814527423731704356798070567525844996598917476803157260780028538760589558632766878171540458953514382464234321326889464182768467546703537516986049910576551282076245490090389328944075868508455133942304583236903222948165808559332123348274797826204144723168738177180919299881250404026184124858368.000000";

/** The table at the end of RFC 38. */
const RFC_38: [string, KvValue, string][] = [
  ["PATH", { type: "s", value: "/bin:/usr/bin" }, "PATH\0s/bin:/usr/bin\0"],
  ["EMPTY_STRING", { type: "s", value: "" }, "EMPTY_STRING\0s\0"],
  ["JOB_ID_STRING", { type: "s", value: "ƒuzzybunny" }, "JOB_ID_STRING\0sƒuzzybunny\0"],
  ["INT_PLUS", { type: "i", value: 42n }, "INT_PLUS\0i42\0"],
  ["INT_MINUS", { type: "i", value: -42n }, "INT_MINUS\0i-42\0"],
  ["INT64_MAX", { type: "i", value: 9223372036854775807n }, "INT64_MAX\0i9223372036854775807\0"],
  ["INT64_MIN", { type: "i", value: -9223372036854775808n }, "INT64_MIN\0i-9223372036854775808\0"],
  ["DOUBLE", { type: "d", value: 3.0 }, "DOUBLE\0d3.000000\0"],
  ["DOUBLE_INF", { type: "d", value: Number.POSITIVE_INFINITY }, "DOUBLE_INF\0dinf\0"],
  ["DBL_MAX", { type: "d", value: Number.MAX_VALUE }, `DBL_MAX\0d${DBL_MAX}\0`],
  ["MINUS_DBL_MAX", { type: "d", value: -Number.MAX_VALUE }, `MINUS_DBL_MAX\0d-${DBL_MAX}\0`],
  ["FALSE", { type: "b", value: false }, "FALSE\0bfalse\0"],
  ["TRUE", { type: "b", value: true }, "TRUE\0btrue\0"],
  ["TIMESTAMP", { type: "t", value: 1692370785 }, "TIMESTAMP\0t2023-08-18T14:59:45Z\0"],
];

describe("test vectors", () => {
  test.each(RFC_38)("of RFC 38: %s", (key, value, encoding) => {
    expect(encodeKv([[key, value]])).toEqual(bytes(encoding));
    expect([...decodeKv(bytes(encoding))]).toEqual([[key, value]]);
  });

  test("of RFC 38: DBL_MIN, which is 0 with six decimals", () => {
    const encoding = bytes("DBL_MIN\0d0.000000\0");
    expect(encodeKv([["DBL_MIN", { type: "d", value: 2.2250738585072014e-308 }]])).toEqual(encoding);
    expect(decodeKv(encoding).get("DBL_MIN")).toEqual({ type: "d", value: 0 });
  });

  test("of RFC 38: all in one text, in order", () => {
    const encoding = bytes(RFC_38.map(([, , text]) => text).join(""));
    expect(encodeKv(RFC_38.map(([key, value]) => [key, value] as const))).toEqual(encoding);
    expect([...decodeKv(encoding).keys()]).toEqual(RFC_38.map(([key]) => key));
  });

  test.each(vectors)("headers of flux-security: $mechanism", ({ header, signature_string }) => {
    const encoding = Uint8Array.from(atob(signature_string.split(".")[0] ?? ""), (c) => c.charCodeAt(0));
    const decoded = decodeKv(encoding);
    expect([...decoded].map(([key, { type }]) => [key, type])).toEqual(
      header.map(({ key, type }) => [key, type]),
    );
    expect(encodeKv(decoded)).toEqual(encoding);
  });
});

/** The output of printf("%.6f") for numbers that lie half way between two texts, or that round to nothing. */
test.each([
  [0.0078125, "0.007812"],
  [0.0234375, "0.023438"],
  [-0.0078125, "-0.007812"],
  [1.0078125, "1.007812"],
  [2 ** 40 + 1 / 128, "1099511627776.007812"],
  [0.5e-6, "0.000000"],
  [-1e-9, "-0.000000"],
  [-0, "-0.000000"],
  [1e21, "1000000000000000000000.000000"],
  [Number.NEGATIVE_INFINITY, "-inf"],
])("the double %d is written %s", (value, written) => {
  expect(encodeKv([["k", { type: "d", value }]])).toEqual(bytes(`k\0d${written}\0`));
});

describe("encodeKv refuses", () => {
  test.each<[string, [string, KvValue][], string]>([
    ["an empty key", [["", { type: "b", value: true }]], "key is empty"],
    ["a NUL in a key", [["a\0b", { type: "b", value: true }]], 'key "a\\u0000b" has a NUL'],
    ["a NUL in a value", [["k", { type: "s", value: "\0" }]], 'value of "k" cannot be a string'],
    ["half a surrogate pair", [["k", { type: "s", value: "\ud83d" }]], 'value of "k" cannot be a string'],
    ["an integer of 65 bits", [["k", { type: "i", value: 2n ** 63n }]], 'value of "k" cannot be a 64-bit'],
    ["NaN", [["k", { type: "d", value: Number.NaN }]], 'value of "k" cannot be a double'],
    ["a time before 1970", [["k", { type: "t", value: -1 }]], 'value of "k" cannot be a timestamp'],
    ["a fraction of a second", [["k", { type: "t", value: 0.5 }]], 'value of "k" cannot be a timestamp'],
    ["the year 10000", [["k", { type: "t", value: 253402300800 }]], 'value of "k" cannot be a timestamp'],
    ["a key that comes twice", [["k", { type: "b", value: true }], ["k", { type: "i", value: 1n }]], '"k" comes twice'],
    ["a text that is too long", [["k", { type: "s", value: "x".repeat(KV_LIMIT) }]], "over the limit"],
  ])("%s", (_, entries, message) => {
    expect(() => encodeKv(entries)).toThrow(KvError);
    expect(() => encodeKv(entries)).toThrow(message);
  }); // biome-ignore format: one case a line
});

describe("decodeKv refuses", () => {
  test.each([
    ["no NUL at the end", "k\0sv", "does not end with a NUL"],
    ["a key without a value", "k\0", "has no value"],
    ["an empty key", "\0sv\0", "key is empty"],
    ["a value without a type", "k\0\0", "has no known type"],
    ["an unknown type", "k\0xv\0", "has no known type"],
    ["a key that comes twice", "k\0i1\0k\0i2\0", '"k" comes twice'],
    ["an empty integer", "k\0i\0", "not a 64-bit integer"],
    ["an integer with a plus", "k\0i+1\0", "not a 64-bit integer"],
    ["an integer with a zero in front", "k\0i01\0", "not a 64-bit integer"],
    ["a negative zero", "k\0i-0\0", "not a 64-bit integer"],
    ["an integer with a space", "k\0i 1\0", "not a 64-bit integer"],
    ["an integer of 65 bits", "k\0i9223372036854775808\0", "not a 64-bit integer"],
    ["a double without decimals", "k\0d1\0", "not a double"],
    ["a double with an exponent", "k\0d1e3\0", "not a double"],
    ["a double that is no number", "k\0dnan\0", "not a double"],
    ["a double by another name", "k\0dInfinity\0", "not a double"],
    ["a double beyond the largest", `k\0d${"9".repeat(400)}.000000\0`, "not a double"],
    ["a boolean in capitals", "k\0bTrue\0", "not a boolean"],
    ["an empty boolean", "k\0b\0", "not a boolean"],
    ["a time that is not UTC", "k\0t2023-08-18T14:59:45+00:00\0", "not a timestamp"],
    ["a time without a zone", "k\0t2023-08-18T14:59:45\0", "not a timestamp"],
    ["a time with milliseconds", "k\0t2023-08-18T14:59:45.000Z\0", "not a timestamp"],
    ["the 30th of February", "k\0t2023-02-30T00:00:00Z\0", "not a timestamp"],
    ["a time in words", "k\0tyesterday\0", "not a timestamp"],
    ["a text that is too long", `k\0s${"x".repeat(KV_LIMIT)}\0`, "over the limit"],
  ])("%s", (_, text, message) => {
    expect(() => decodeKv(bytes(text))).toThrow(KvError);
    expect(() => decodeKv(bytes(text))).toThrow(message);
  });

  test("text that is not UTF-8", () => {
    expect(() => decodeKv(Uint8Array.of(0x6b, 0, 0x73, 0xff, 0))).toThrow(
      new KvError("key-value text is not UTF-8"),
    );
  });
});

test("no entries are an empty text", () => {
  expect(encodeKv([])).toEqual(new Uint8Array(0));
  expect(decodeKv(new Uint8Array(0)).size).toBe(0);
});

test("a byte order mark is a character like any other", () => {
  const encoding = bytes("\ufeffk\0s\ufeff\0");
  expect([...decodeKv(encoding)]).toEqual([["\ufeffk", { type: "s", value: "\ufeff" }]]);
});

test("a key from elsewhere is no property of an object", () => {
  expect(decodeKv(bytes("__proto__\0sx\0")).get("__proto__")).toEqual({ type: "s", value: "x" });
  expect(decodeKv(bytes("__proto__\0sx\0")).get("toString")).toBeUndefined();
});
