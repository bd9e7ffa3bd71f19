/** The vectors of a proof of possession, which PROTOCOL.md shows. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { calculateJwkThumbprint } from "jose";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { verifyProof } from "../../../../proxy/auth/proof.js";
import { keyProof } from "../../../../src/index.js";

const url = new URL("../../../vectors/proof.json", import.meta.url);
const { key, jkt, token, ath, nonce, payload, proof } = JSON.parse(readFileSync(url, "utf8"));

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: payload.iat * 1000 }));
afterEach(() => void vi.useRealTimers());

const at = (seconds: number) => vi.setSystemTime((payload.iat + seconds) * 1000);
const claim = { jkt, nonce, token };

test("a key, a token and a nonce give this proof", async () => {
  const { d: _, ...publicJwk } = key;
  const algorithm = { name: "Ed25519" };
  const keyPair = {
    privateKey: await crypto.subtle.importKey("jwk", key, algorithm, false, ["sign"]),
    publicKey: await crypto.subtle.importKey("jwk", publicJwk, algorithm, true, ["verify"]),
  };
  expect(await keyProof(keyPair)({ nonce, token })).toBe(proof);
  expect(await calculateJwkThumbprint(publicJwk)).toBe(jkt);
  expect(createHash("sha256").update(token).digest("base64url")).toBe(ath);
});

test("the proof is good for a minute before and after its time", async () => {
  for (const seconds of [0, 60, -60]) {
    at(seconds);
    await expect(verifyProof(proof, claim)).resolves.toBeUndefined();
  }
  for (const seconds of [61, -61]) {
    at(seconds);
    await expect(verifyProof(proof, claim)).rejects.toThrow("has an iat over 60 seconds");
  }
});

test("the proof is good for this nonce, token and key alone", async () => {
  for (const [wrong, message] of [
    [{ nonce: "x" }, "has another nonce"],
    [{ token: `${token}x` }, "is for another token"],
    [{ jkt: "x" }, "is signed with another key"],
  ] as const) {
    await expect(verifyProof(proof, { ...claim, ...wrong })).rejects.toThrow(message);
  }
});
