import { describe, expect, it } from "vitest";
import { jsonPayload, parsePayload } from "../../../proxy/embedded/json.js";
import { UnpackError, unpack } from "../../../proxy/embedded/unpack.js";

const text = (payload: Uint8Array) => Buffer.from(payload).toString();
const payload = (json: string) => Buffer.from(`${json}\0`);

describe("jsonPayload", () => {
  it("escapes as jansson does", () => {
    // what json_dumps(JSON_COMPACT) of jansson 2.14 made of every code point below 128 and some above
    const all = `${String.fromCharCode(...Array(128).keys())}\u2028é😀\ufeff`;
    const controls =
      "\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000B\\f\\r\\u000E\\u000F" +
      "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001A\\u001B\\u001C\\u001D\\u001E\\u001F";
    const rest = all.slice(32).replace(/["\\]/g, "\\$&");
    expect(text(jsonPayload({ d: all }))).toBe(`{"d":"${controls}${rest}"}\0`);
  });

  it("keeps text that only looks like an escape", () => {
    expect(text(jsonPayload({ d: "\\u001b \\\u001b" }))).toBe('{"d":"\\\\u001b \\\\\\u001B"}\0');
  });
});

describe("parsePayload", () => {
  it.each(["", "x", "[1]", '"x"', "1", "null", '{"a":1} x', '{"a":1,}'])("refuses %j", (json) => {
    expect(parsePayload(payload(json))).toBeUndefined();
  });

  it("refuses a payload that is absent, unended or not UTF-8", () => {
    expect(parsePayload(undefined)).toBeUndefined();
    expect(parsePayload(new Uint8Array(0))).toBeUndefined();
    expect(parsePayload(Buffer.from("{}"))).toBeUndefined();
    expect(parsePayload(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0))).toBeUndefined();
  });

  it("ends at the first NUL", () => {
    expect(parsePayload(Buffer.from('{"a":1}\0junk\0'))).toEqual({ a: 1 });
  });
});

describe("unpack", () => {
  const format = { pid: "integer", label: "string?" } as const;

  it.each([
    ["{}", "Object item not found: pid"],
    ['{"pid":1.5}', "Expected integer, got real"],
    ['{"pid":true}', "Expected integer, got true"],
    ['{"pid":null}', "Expected integer, got null"],
    ['{"pid":[]}', "Expected integer, got array"],
    ['{"pid":{}}', "Expected integer, got object"],
    ['{"pid":1,"label":3}', "Expected string, got integer"],
    ['{"pid":1,"label":null}', "Expected string, got null"],
    ["[1]", "Expected object, got array"],
  ])("%s: %s, in jansson's words", (json, message) => {
    expect(() => unpack(JSON.parse(json), format)).toThrow(new UnpackError(message));
  });

  it("does not find inherited properties", () => {
    expect(() => unpack({}, { constructor: "any" as const })).toThrow("Object item not found: constructor");
    expect(unpack(JSON.parse('{"pid":4294967297,"label":"a\\u0000b"}'), format)).toEqual({
      pid: 1,
      label: "a",
    });
  });
});
