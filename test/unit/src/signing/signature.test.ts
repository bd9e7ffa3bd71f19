import { describe, expect, test } from "vitest";
import { encodeKv, type KvValue } from "../../../../src/signing/kv.js";
import {
  checkClaim,
  headerValue,
  parseSignature,
  SignatureError,
  signingInput,
} from "../../../../src/signing/signature.js";
import { vector, vectors } from "./vectors.js";

const NONE = vector("none").signature_string;
const [HEADER, PAYLOAD] = NONE.split(".") as [string, string];

/** A signature with this header. */
function withHeader(...entries: [string, KvValue][]): string {
  return `${btoa(String.fromCharCode(...encodeKv(entries)))}.${PAYLOAD}.none`;
}
const VERSION: [string, KvValue] = ["version", { type: "i", value: 1n }];
const MECHANISM: [string, KvValue] = ["mechanism", { type: "s", value: "none" }];
const USERID: [string, KvValue] = ["userid", { type: "i", value: 1000n }];

describe("parseSignature", () => {
  test.each(vectors)("takes one of flux-security apart: $mechanism", (expected) => {
    const parsed = parseSignature(expected.signature_string);
    expect(parsed.mechanism).toBe(expected.mechanism);
    expect(parsed.userid).toBe(expected.userid);
    expect(new TextDecoder().decode(parsed.payload)).toBe(expected.payload);
    expect([...parsed.header.keys()]).toEqual(expected.header.map(({ key }) => key));
    expect(`${parsed.input}.${parsed.signature}`).toBe(expected.signature_string);
  });

  test("takes an empty payload, and entries in any order", () => {
    expect(parseSignature(`${HEADER}..none`).payload).toEqual(new Uint8Array(0));
    expect(parseSignature(withHeader(USERID, MECHANISM, VERSION)).userid).toBe(1000);
  });

  test.each([
    ["an empty text", "", "not HEADER.PAYLOAD.SIGNATURE"],
    ["two parts", `${HEADER}.${PAYLOAD}`, "not HEADER.PAYLOAD.SIGNATURE"],
    ["four parts", `${NONE}.more`, "not HEADER.PAYLOAD.SIGNATURE"],
    ["a period at the end", `${NONE}.`, "not HEADER.PAYLOAD.SIGNATURE"],
    ["no header", `.${PAYLOAD}.none`, "not HEADER.PAYLOAD.SIGNATURE"],
    ["no signature", `${HEADER}.${PAYLOAD}.`, "not HEADER.PAYLOAD.SIGNATURE"],
    ["a NUL in the signature", `${NONE}\0`, "signature has a NUL"],
    ["a header that is not base64", `!${HEADER}.${PAYLOAD}.none`, "signature header is not base64"],
    ["a payload that is not base64", `${HEADER}.${PAYLOAD}*.none`, "signature payload is not base64"],
    ["base64 with a space", `${HEADER}.${PAYLOAD} .none`, "signature payload is not base64"],
    ["base64 without its padding", `${HEADER}.YQ.none`, "signature payload is not base64"],
    ["base64 with stray bits", `${HEADER}.YR==.none`, "signature payload is not base64"],
    ["base64url", `${HEADER}.-_-_.none`, "signature payload is not base64"],
    ["a header that is no key-value text", `YQ==.${PAYLOAD}.none`, "does not end with a NUL"],
    ["no version", withHeader(MECHANISM, USERID), "no version"],
    ["version 2", withHeader(["version", { type: "i", value: 2n }], MECHANISM, USERID), "version is not"],
    ["a version that is text", withHeader(["version", { type: "s", value: "1" }]), "no version"],
    ["no mechanism", withHeader(VERSION, USERID), "no mechanism"],
    ["no userid", withHeader(VERSION, MECHANISM), "no userid"],
    ["userid -1", withHeader(VERSION, MECHANISM, ["userid", { type: "i", value: -1n }]), "invalid userid"],
    ["userid 2^32-1", withHeader(VERSION, MECHANISM, ["userid", { type: "i", value: 0xffffffffn }]), "invalid userid"],
    ["userid 2^53+1", withHeader(VERSION, MECHANISM, ["userid", { type: "i", value: 2n ** 53n + 1n }]), "invalid userid"],
  ])("refuses %s", (_, text, message) => {
    expect(() => parseSignature(text)).toThrow(SignatureError);
    expect(() => parseSignature(text)).toThrow(message);
  }); // biome-ignore format: one case a line

  test("refuses a text over its limit before it parses it", () => {
    expect(() => parseSignature(NONE, NONE.length - 1)).toThrow("over the limit");
    expect(parseSignature(NONE, NONE.length).mechanism).toBe("none");
  });
});

describe("signingInput", () => {
  test("has the bytes of flux-security", () => {
    const { userid, payload } = vector("none");
    expect(signingInput("none", userid, payload)).toBe(`${HEADER}.${PAYLOAD}`);
  });

  test("encodes text as UTF-8", () => {
    const parsed = parseSignature(`${signingInput("none", 0, "ƒ😀")}.none`);
    expect(new TextDecoder().decode(parsed.payload)).toBe("ƒ😀");
  });

  test.each([-1, 0.5, Number.NaN, 0xffffffff])("refuses the userid %d", (userid) => {
    expect(() => signingInput("none", userid, "")).toThrow(TypeError);
  });
});

test("headerValue insists on the type", () => {
  const { header } = parseSignature(NONE);
  expect(headerValue(header, "userid", "i")).toBe(1000n);
  expect(() => headerValue(header, "userid", "s")).toThrow(SignatureError);
});

test("checkClaim refuses another mechanism and another user", () => {
  const parsed = parseSignature(NONE);
  checkClaim(parsed, "none", 1000);
  expect(() => checkClaim(parsed, "curve", 1000)).toThrow("mechanism is not curve");
  expect(() => checkClaim(parsed, "none", 1001)).toThrow("of user 1000, not of 1001");
});
