import { describe, expect, test } from "vitest";
import { noneSigner, noneVerify } from "../../../../src/signing/none.js";
import { parseSignature, SignatureError } from "../../../../src/signing/signature.js";
import { signedPayload } from "../../../../src/signing/signer.js";
import { vector } from "./vectors.js";

const content = (signature: string) =>
  JSON.parse(new TextDecoder().decode(parseSignature(signature).payload)) as Record<string, unknown>;

describe("noneSigner", () => {
  test("makes the signature of flux-security", async () => {
    const { userid, payload, signature_string } = vector("none");
    const signer = noneSigner(userid);
    expect(signer).toMatchObject({ mechanism: "none", userid });
    expect(await signer.sign(payload)).toBe(signature_string);
  });

  test("refuses a wrong userid", () => {
    expect(() => noneSigner(-1)).toThrow(TypeError);
  });
});

describe("noneVerify", () => {
  const good = vector("none").signature_string;
  test("accepts the user's own", () => noneVerify(parseSignature(good), 1000));
  test.each([
    ["another user", good, 1001, "of user 1000, not of 1001"],
    ["another word", `${good}x`, 1000, "not the word none"],
    ["another mechanism", vector("munge").signature_string, 1000, "mechanism is not none"],
  ])("refuses %s", (_, text, userid, message) => {
    expect(() => noneVerify(parseSignature(text), userid)).toThrow(SignatureError);
    expect(() => noneVerify(parseSignature(text), userid)).toThrow(message);
  });
});

describe("signedPayload", () => {
  test("is the signature alone, over the request and its topic", async () => {
    const signed = await signedPayload(noneSigner(1), "rexec.kill", { pid: 7, signum: 15 });
    expect(Object.keys(signed)).toEqual(["signature"]);
    expect(content(signed.signature)).toEqual({ pid: 7, signum: 15, topic: "rexec.kill" });
  });

  test("does not let the request name another topic", async () => {
    const { signature } = await signedPayload(noneSigner(1), "rexec.list", { topic: "rexec.exec" });
    expect(content(signature)).toEqual({ topic: "rexec.list" });
  });

  test("carries a key called __proto__ like any other", async () => {
    const payload = JSON.parse('{"env":{"__proto__":"x"},"__proto__":{"y":1}}') as object;
    const { signature } = await signedPayload(noneSigner(1), "rexec.exec", payload);
    expect(JSON.stringify(content(signature))).toBe(
      '{"env":{"__proto__":"x"},"__proto__":{"y":1},"topic":"rexec.exec"}',
    );
  });

  test("fails as its signer does", async () => {
    const broken = { ...noneSigner(1), sign: () => Promise.reject(new Error("no key")) };
    await expect(signedPayload(broken, "rexec.exec", {})).rejects.toThrow("no key");
  });
});
