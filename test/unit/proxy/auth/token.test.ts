import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importJWK, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { type GeneratedKeys, generateKeys, signToken } from "../../../../proxy/auth/keys.js";
import { ACTIONS } from "../../../../proxy/auth/permissions.js";
import { createVerifier } from "../../../../proxy/auth/token.js";
import { FluxError } from "../../../../src/errors.js";

const issuer = "https://issuer.example";
const audience = "flux-proxy";
const claims = { issuer, audience, subject: "alice", userid: 1001, ttlSeconds: 60 };

let keys: GeneratedKeys;
let others: GeneratedKeys;
beforeAll(async () => {
  [keys, others] = await Promise.all([generateKeys(), generateKeys()]);
});

/** A token with a header and claims of the test's own. */
async function token(body: object, header: object = {}, jwk: JWK = keys.privateJwk): Promise<string> {
  return new SignJWT({ ...body })
    .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: jwk.kid ?? "", ...header })
    .sign(await importJWK(jwk, "EdDSA"));
}

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const good = () => ({ iss: issuer, aud: audience, sub: "alice", uid: 1001, exp: inSeconds(60) });
const without = (claim: string) => ({ ...good(), [claim]: undefined });

describe("verification", () => {
  test.each(["EdDSA", "ES256", "RS256", "PS256"])("accepts a good %s token", async (algorithm) => {
    const { privateJwk, jwks } = await generateKeys(algorithm);
    const verify = await createVerifier({ jwks, issuer, audience });
    expect(await verify(await signToken(privateJwk, claims))).toEqual({
      sub: "alice",
      userid: 1001,
      tokenId: expect.any(String),
      issuedAt: expect.any(Number),
      expires: expect.any(Number),
      jkt: undefined,
      permissions: { scope: new Set(ACTIONS) },
    });
  });

  test.each([
    ["expired", "expired", () => token({ ...good(), exp: inSeconds(-1) })],
    ["for ever", "exp claim is missing", () => token(without("exp"))],
    ["of nobody", "sub claim is missing", () => token(without("sub"))],
    ["not yet valid", "nbf claim", () => token({ ...good(), nbf: inSeconds(60) })],
    ["of another issuer", "iss claim", () => token({ ...good(), iss: "https://evil.example" })],
    ["without issuer", "iss claim is missing", () => token(without("iss"))],
    ["for another audience", "aud claim", () => token({ ...good(), aud: "other" })],
    ["without audience", "aud claim is missing", () => token(without("aud"))],
    ["signed by another key", "key that is not known", () => token(good(), {}, others.privateJwk)],
    [
      "signed by another key under a known kid",
      "signature",
      () => token(good(), { kid: keys.privateJwk.kid }, others.privateJwk),
    ],
    ["unsigned", "algorithm is not allowed|not a signed JWT", async () => new UnsecuredJWT(good()).encode()],
    [
      "signed with the public key as a secret",
      "algorithm is not allowed",
      () =>
        new SignJWT(good())
          .setProtectedHeader({ alg: "HS256", typ: "at+jwt", kid: keys.privateJwk.kid ?? "" })
          .sign(new TextEncoder().encode(JSON.stringify(keys.jwks.keys[0]).padEnd(32))),
    ],
    ["no token", "not a signed JWT", async () => "secret-secret"],
    ["empty", "not a signed JWT", async () => ""],
  ])("refuses one that is %s: %s", async (_, reason, make) => {
    const verify = await createVerifier({ jwks: keys.jwks, issuer, audience });
    const text = await make();
    const error: unknown = await verify(text).then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(FluxError);
    const { code, message, cause } = error as FluxError;
    expect(code).toBe("EACCES");
    expect(message).toMatch(new RegExp(reason));
    expect(cause).toBeUndefined();
    if (text !== "") expect(message).not.toContain(text);
    for (const part of text.split(".")) if (part !== "") expect(message).not.toContain(part);
  });

  test("tolerates clocks that differ a little", async () => {
    const verify = await createVerifier({ jwks: keys.jwks, issuer, audience });
    expect(await verify(await token({ ...good(), nbf: inSeconds(2), iat: inSeconds(2) }))).toBeDefined();
  });

  test("an algorithm that is not in the list is refused", async () => {
    const verify = await createVerifier({ jwks: keys.jwks, issuer, audience, algorithms: ["ES256"] });
    await expect(verify(await token(good()))).rejects.toMatchObject({ code: "EACCES" });
  });

  test("a token without kid is tried with each key that fits", async () => {
    const jwks = { keys: [...others.jwks.keys, ...keys.jwks.keys] };
    const verify = await createVerifier({ jwks, issuer, audience });
    expect(await verify(await token(good(), { kid: undefined }))).toMatchObject({ sub: "alice" });
    const stranger = await generateKeys();
    await expect(verify(await token(good(), { kid: undefined }, stranger.privateJwk))).rejects.toThrow(
      /signature/,
    );
    await expect(verify(await token({ ...good(), iss: "x" }, { kid: undefined }))).rejects.toThrow(/iss/);
  });
});

describe("configuration", () => {
  const refused = (options: object) =>
    expect(createVerifier({ jwks: keys.jwks, issuer, audience, ...options })).rejects.toThrow(TypeError);

  test("refuses what could not work or would be unsafe", async () => {
    await refused({ jwks: { keys: [] } });
    await refused({ jwks: {} });
    await refused({ jwks: { keys: ["x"] } });
    await refused({ jwks: { keys: [{ kty: "OKP", crv: "Ed25519" }] } });
    await refused({ jwks: { keys: [{ kty: "oct", k: "c2VjcmV0", alg: "HS256" }] } });
    await refused({ jwks: "/nowhere/jwks.json" });
    await refused({ issuer: "" });
    await refused({ audience: "" });
    await refused({ algorithms: [] });
    await refused({ algorithms: ["HS256"] });
    await refused({ algorithms: ["none"] });
  });

  test("a key set with private keys is used without them", async () => {
    const verify = await createVerifier({ jwks: { keys: [keys.privateJwk] }, issuer, audience });
    expect(await verify(await signToken(keys.privateJwk, claims))).toMatchObject({ sub: "alice" });
  });

  test("a key set is read from a file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "jwks-"));
    try {
      const path = join(directory, "jwks.json");
      await writeFile(path, JSON.stringify(keys.jwks));
      const verify = await createVerifier({ jwks: path, issuer, audience });
      expect(await verify(await signToken(keys.privateJwk, claims))).toMatchObject({ sub: "alice" });
      await writeFile(path, "not JSON");
      await refused({ jwks: path });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe("keys", () => {
  test("the public half has nothing private and names itself", async () => {
    const [key] = keys.jwks.keys;
    expect(Object.keys(key ?? {}).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x"]);
    expect(key?.kid).toBe(keys.privateJwk.kid);
    expect(key?.kid).toMatch(/^[\w-]{43}$/);
  });

  test("signToken refuses what cannot be", async () => {
    await expect(signToken(keys.jwks.keys[0] ?? {}, claims)).rejects.toThrow(TypeError);
    await expect(signToken(keys.privateJwk, { ...claims, ttlSeconds: 0 })).rejects.toThrow(TypeError);
    await expect(signToken(keys.privateJwk, { ...claims, ttlSeconds: Number.NaN })).rejects.toThrow(
      TypeError,
    );
  });
});
