import { beforeAll, describe, expect, test } from "vitest";
import { type CurveSignerOptions, curveSigner } from "../../../../src/signing/curve.js";
import { type CurveCertificate, plainCertificate } from "../../../../src/signing/curve-certificate.js";
import type { CurveKey } from "../../../../src/signing/curve-key.js";
import { curveVerify } from "../../../../src/signing/curve-verify.js";
import type { KvValue } from "../../../../src/signing/kv.js";
import { parseSignature, SignatureError } from "../../../../src/signing/signature.js";
import { curveJwk, curveTtl, vector } from "./vectors.js";

const { userid, payload, signature_string: recorded } = vector("curve");
const PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const CTIME = Date.parse("2026-11-22T10:04:14Z");

/** The options with which the recorded signature comes out. */
const asRecorded = { key: curveJwk as CurveKey, userid, ttl: curveTtl, now: () => CTIME + 999 };
const sign = async (options: Partial<CurveSignerOptions> = {}, text = payload) =>
  (await curveSigner({ ...asRecorded, ...options })).sign(text);

const base64 = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("base64");
const pem = (der: ArrayBuffer, label = "PRIVATE KEY") =>
  `-----BEGIN ${label}-----\n${base64(der).replace(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`;

const importKey = (extractable: boolean) =>
  crypto.subtle.importKey("jwk", curveJwk, "Ed25519", extractable, ["sign"]);
let publicKey: CryptoKey;
let other: CryptoKeyPair;
beforeAll(async () => {
  const { d: _, ...jwk } = curveJwk;
  publicKey = await crypto.subtle.importKey("jwk", jwk, "Ed25519", true, ["verify"]);
  other = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])) as CryptoKeyPair;
});

describe("curveSigner makes the signature of flux-security", () => {
  test.each<[string, () => Promise<CurveKey>]>([
    ["a JWK", async () => curveJwk],
    ["a JWK with more in it", async () => ({ ...curveJwk, alg: "EdDSA", use: "sig", kid: "k", key_ops: [] })],
    ["a PEM text", async () => pem(await crypto.subtle.exportKey("pkcs8", await importKey(true)))],
    ["an extractable CryptoKey", () => importKey(true)],
    ["a pair that is not extractable", async () => ({ privateKey: await importKey(false), publicKey })],
  ])("from %s", async (_, key) => {
    expect(await sign({ key: await key() })).toBe(recorded);
  });
});

describe("curveSigner refuses", () => {
  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["a JWK of another type", async () => ({ ...curveJwk, kty: "EC" }), /not an Ed25519 key/],
    ["a JWK of another curve", async () => ({ ...curveJwk, crv: "X25519" }), /not an Ed25519 key/],
    ["a public JWK", async () => ({ ...curveJwk, d: undefined }), /not a private JWK/],
    ["a JWK of another's x", async () => ({ ...curveJwk, x: "A".repeat(43) }), /key cannot sign/],
    ["a JWK cut short", async () => ({ ...curveJwk, d: curveJwk.d.slice(4) }), /key cannot sign/],
    ["an empty object", async () => ({}), /not an Ed25519 key/],
    ["a text that is no PEM", async () => "hello", /not the PEM text of a PKCS #8 key/],
    ["a PEM of another kind", async () => pem(new ArrayBuffer(8), "EC PRIVATE KEY"), /not the PEM text/],
    ["a PEM of nonsense", async () => pem(new ArrayBuffer(48)), /key cannot sign/],
    ["a lone key that is not extractable", () => importKey(false), /pass the pair/],
    ["a public CryptoKey", async () => publicKey, /key cannot sign/],
    ["halves of two pairs", async () => ({ ...other, publicKey }), /another key's/],
    [
      "a pair without its public half",
      async () => ({ privateKey: await importKey(false) }),
      /key cannot sign/,
    ],
  ])("%s", async (_, key, message) => {
    const failure = curveSigner({ ...asRecorded, key: (await key()) as CurveKey });
    await expect(failure).rejects.toThrow(TypeError);
    await expect(failure).rejects.toThrow(message);
  });

  test("an ECDSA key", async () => {
    const { privateKey } = (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
    ])) as CryptoKeyPair;
    await expect(curveSigner({ ...asRecorded, key: privateKey })).rejects.toThrow("not an Ed25519 key");
  });

  test("a key without telling it", async () => {
    const secret = curveJwk.d.slice(0, 20);
    const error = await curveSigner({ ...asRecorded, key: { ...curveJwk, d: secret } }).catch(
      (e: Error) => e,
    );
    expect(String(error)).not.toContain(secret);
    const text = await curveSigner({ ...asRecorded, key: `-----${secret}` }).catch((e: Error) => e);
    expect(String(text)).not.toContain(secret);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("a ttl of %d", async (ttl) => {
    await expect(curveSigner({ ...asRecorded, ttl })).rejects.toThrow(TypeError);
  });

  test("a wrong userid", async () => {
    await expect(curveSigner({ ...asRecorded, userid: -1 })).rejects.toThrow(TypeError);
  });

  test("another's certificate", async () => {
    const certificate = plainCertificate(Buffer.alloc(32).toString("base64"));
    await expect(curveSigner({ ...asRecorded, certificate })).rejects.toThrow(
      "certificate is of another key",
    );
  });

  test("a certificate with a malformed signature", async () => {
    const certificate = { ...plainCertificate(PUBLIC_KEY), signature: "AAAA" };
    await expect(curveSigner({ ...asRecorded, certificate })).rejects.toThrow(SignatureError);
  });
});

test("the error names WebCrypto if the page has none", async () => {
  const original = Object.getOwnPropertyDescriptor(globalThis, "crypto") as PropertyDescriptor;
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  try {
    await expect(curveSigner(asRecorded)).rejects.toThrow("must come over https");
  } finally {
    Object.defineProperty(globalThis, "crypto", original);
  }
});

test("by default a signature is good for five minutes from now", async () => {
  const before = Math.floor(Date.now() / 1000);
  const { header } = parseSignature(await sign({ ttl: undefined, now: undefined }));
  const ctime = header.get("curve.ctime")?.value as number;
  expect(ctime).toBeGreaterThanOrEqual(before);
  expect(ctime).toBeLessThanOrEqual(Date.now() / 1000);
  expect(header.get("curve.xtime")?.value).toBe(ctime + 300);
});

describe("a certificate with metadata and a CA's signature", () => {
  const certificate: CurveCertificate = {
    metadata: new Map<string, KvValue>([
      ["algorithm", { type: "s", value: "ed25519" }],
      ["userid", { type: "i", value: 1000n }],
      ["ca-capability", { type: "b", value: false }],
      ["xtime", { type: "t", value: 1795000000 }],
    ]),
    publicKey: PUBLIC_KEY,
    signature: Buffer.alloc(64, 7).toString("base64"),
  };

  test("is carried in the header, in order", async () => {
    const { header } = parseSignature(await sign({ certificate }));
    expect([...header.keys()]).toEqual([
      "version", "mechanism", "userid", "curve.cert.meta.algorithm", "curve.cert.meta.userid",
      "curve.cert.meta.ca-capability", "curve.cert.meta.xtime", "curve.cert.curve.public-key",
      "curve.cert.curve.signature", "curve.ctime", "curve.xtime",
    ]); // biome-ignore format: a list
    expect(header.get("curve.cert.curve.signature")?.value).toBe(certificate.signature);
  });

  test("verifies against the same, and against no other", async () => {
    const parsed = parseSignature(await sign({ certificate }));
    const verify = (expected: CurveCertificate) =>
      curveVerify(parsed, { userid, certificate: expected, maxTtl: 3600, now: () => CTIME });
    await verify(certificate);
    await verify({ ...certificate, signature: undefined });
    await expect(verify(plainCertificate(PUBLIC_KEY))).rejects.toThrow("another certificate");
    const reversed = new Map([...certificate.metadata].reverse());
    await expect(verify({ ...certificate, metadata: reversed })).rejects.toThrow("another certificate");
  });
});

describe("curveVerify", () => {
  const certificate = plainCertificate(PUBLIC_KEY);
  const verify = (text: string, at = 0, options = {}) =>
    curveVerify(parseSignature(text), {
      userid,
      certificate,
      maxTtl: curveTtl,
      now: () => CTIME + at * 1000,
      ...options,
    });

  test.each([0, 1, 3600])("accepts the one of flux-security %d s later", (at) => verify(recorded, at));
  test("takes the machine's clock by default", async () => {
    await verify(await sign({ now: undefined }), 0, { now: undefined });
  });

  test.each<[string, () => Promise<string> | string, number, object, string]>([
    ["one that has expired", () => recorded, 3601, {}, "expired"],
    ["one whose own ttl was shorter", () => sign({ ttl: 10 }), 11, {}, "expired"],
    ["one that is older than the site allows", () => recorded, 61, { maxTtl: 60 }, "expired"],
    ["one of the future", () => recorded, -1, {}, "in the future"],
    ["another user's", () => sign({ userid: 1001 }), 0, {}, "of user 1001, not of 1000"],
    ["another key's", () => sign({ key: other }), 0, {}, "another certificate"],
    ["another mechanism's", () => vector("none").signature_string, 0, {}, "mechanism is not curve"],
    ["one cut short", () => recorded.slice(0, -4), 0, {}, "not 64 bytes"],
    ["one with stray bits", () => recorded.replace("DQ==", "DR=="), 0, {}, "not base64"],
    ["one over another payload", async () => {
      const [header, , signature] = recorded.split(".");
      return `${header}.e30=.${signature}`;
    }, 0, {}, "does not verify"],
  ])("refuses %s", async (_, text, at, options, message) => {
    const failure = verify(await text(), at, options);
    await expect(failure).rejects.toThrow(SignatureError);
    await expect(failure).rejects.toThrow(message);
  }); // biome-ignore format: one case a line

  test.each(["curve.cert.curve.public-key", "curve.ctime", "curve.xtime"])(
    "refuses one without %s",
    async (key) => {
      const parsed = parseSignature(recorded);
      const header = new Map([...parsed.header].filter(([name]) => name !== key));
      await expect(
        curveVerify({ ...parsed, header }, { userid, certificate, maxTtl: 3600, now: () => CTIME }),
      ).rejects.toThrow(`no ${key}`);
    },
  );

  test("refuses a public key of another size", async () => {
    const parsed = parseSignature(recorded);
    const header = new Map(parsed.header).set("curve.cert.curve.public-key", { type: "s", value: "AAAA" });
    await expect(
      curveVerify({ ...parsed, header }, { userid, certificate, maxTtl: 3600, now: () => CTIME }),
    ).rejects.toThrow("not 32 bytes");
  });
});
