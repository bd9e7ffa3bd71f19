import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importJWK, type JWK, SignJWT, UnsecuredJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { type GeneratedKeys, generateKeys, signToken } from "../../../../proxy/auth/keys.js";
import { DEFAULT_ACTIONS } from "../../../../proxy/auth/permissions.js";
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
      permissions: { scope: new Set(DEFAULT_ACTIONS) },
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
    ["signed by another key", "unknown key", () => token(good(), {}, others.privateJwk)],
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

describe("the userid", () => {
  const users = { alice: 1001, bob: 1002, __proto__: null };
  const verified = async (body: object, options: object = {}, surroundings: object = {}) => {
    const verify = await createVerifier({ jwks: keys.jwks, issuer, audience, ...options }, surroundings);
    return verify(await token({ ...good(), ...body })).then(
      ({ userid }) => userid,
      (error: Error) => error.message,
    );
  };

  test("comes from the token, or by its sub from the configuration", async () => {
    expect(await verified({ uid: 0 })).toBe(0);
    expect(await verified({ uid: undefined }, { users })).toBe(1001);
    expect(await verified({ uid: 7, sub: "carol" }, { users })).toBe(7);
  });

  test("must be somewhere, and not two", async () => {
    expect(await verified({ uid: undefined })).toMatch(/no uid claim/);
    expect(await verified({ uid: undefined, sub: "constructor" }, { users: {} })).toMatch(/no uid claim/);
    expect(await verified({ uid: 1002 }, { users })).toMatch(/differs from the proxy.s userid for its sub/);
  });

  test("must be that of a proxy of one user", async () => {
    expect(await verified({ uid: 1001 }, {}, { onlyUserid: 1001 })).toBe(1001);
    expect(await verified({ uid: 0 }, {}, { onlyUserid: 1001 })).toMatch(/another user/);
  });
});

describe("a secret", () => {
  const secret = new TextEncoder().encode("s".repeat(32));
  const hmac = (key: Uint8Array, alg = "HS256") =>
    new SignJWT(good()).setProtectedHeader({ alg, typ: "at+jwt" }).sign(key);

  test("verifies HS256 tokens, and no others", async () => {
    const verify = await createVerifier({ secret, issuer, audience });
    expect(await verify(await hmac(secret))).toMatchObject({ sub: "alice" });
    await expect(verify(await hmac(new Uint8Array(32)))).rejects.toThrow(/signature is wrong/);
    await expect(verify(await hmac(new Uint8Array(64), "HS512"))).rejects.toThrow(/algorithm/);
    await expect(verify(await token(good()))).rejects.toThrow(/algorithm/);
  });

  test("is long, and alone", async () => {
    const made = (options: object) => createVerifier({ issuer, audience, ...options });
    await expect(made({ secret: secret.subarray(1) })).rejects.toThrow(/32 bytes/);
    await expect(made({ secret: "s".repeat(32) })).rejects.toThrow(/32 bytes/);
    await expect(made({ secret, jwks: keys.jwks })).rejects.toThrow(/one of jwks and secret/);
    await expect(made({})).rejects.toThrow(/one of jwks and secret/);
    await expect(made({ secret, algorithms: ["HS256"] })).rejects.toThrow(/algorithms/);
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
    await refused({ users: { alice: "1001" } });
    await refused({ users: { alice: -1 } });
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

  test("signToken says what it is asked to", async () => {
    const details = [{ type: "flux_subprocess", actions: ["kill"], signals: ["TERM", "SIGIOT", "POLL"] }];
    const verify = await createVerifier({ jwks: keys.jwks, issuer, audience });
    const jkt = "x".repeat(43);
    const made = await signToken(keys.privateJwk, { ...claims, scope: "kill list", details, jkt });
    expect(await verify(made)).toMatchObject({
      jkt,
      permissions: {
        scope: new Set(["kill", "list"]),
        details: [{ actions: new Set(["kill"]), signals: new Set([15, 6, 29]) }],
      },
    });
    const own = await signToken(keys.privateJwk, { ...claims, userid: undefined });
    expect((await verify(own)).userid).toBe(process.getuid?.());
  });

  test("signToken refuses what cannot be", async () => {
    await expect(
      signToken(keys.privateJwk, { ...claims, details: [{ type: "flux_subprocess" }] }),
    ).rejects.toThrow(TypeError);
    await expect(signToken(keys.jwks.keys[0] ?? {}, claims)).rejects.toThrow(TypeError);
    await expect(signToken(keys.privateJwk, { ...claims, ttlSeconds: 0 })).rejects.toThrow(TypeError);
    await expect(signToken(keys.privateJwk, { ...claims, ttlSeconds: Number.NaN })).rejects.toThrow(
      TypeError,
    );
  });
});
