import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { curveSigner } from "../../src/signing/curve.js";
import { type CurveCertificate, plainCertificate } from "../../src/signing/curve-certificate.js";
import { formatCertificateFile, parseCertificateFile } from "../../src/signing/curve-files.js";
import { curveVerify } from "../../src/signing/curve-verify.js";
import { decodeKv, encodeKv, KvError, type KvValue } from "../../src/signing/kv.js";
import { parseSignature, SignatureError, signingInput } from "../../src/signing/signature.js";
import { curveJwk } from "../unit/src/signing/vectors.js";

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0"));
const value: fc.Arbitrary<KvValue> = fc.oneof(
  text.map((value) => ({ type: "s" as const, value })),
  fc.bigInt(INT64).map((value) => ({ type: "i" as const, value })),
  fc.double({ noNaN: true }).map((value) => ({ type: "d" as const, value })),
  fc.boolean().map((value) => ({ type: "b" as const, value })),
  fc.integer({ min: 0, max: 253_402_300_799 }).map((value) => ({ type: "t" as const, value })),
);
const entries = fc.uniqueArray(
  fc.tuple(
    text.filter((key) => key !== ""),
    value,
  ),
  { selector: ([key]) => key },
);

/** Bytes that look like key-value text often enough to get past the first check. */
const nearlyKv = fc
  .array(fc.oneof(fc.constantFrom("\0", "\0s", "\0i", "\0d", "\0b", "\0t", "k", "1", "true"), fc.string()))
  .map((parts) => new TextEncoder().encode(`${parts.join("")}\0`));

describe("key-value text", () => {
  test("is the same after encoding and decoding, except a double's further decimals", () => {
    fc.assert(
      fc.property(entries, (original) => {
        const decoded = [...decodeKv(encodeKv(original))];
        expect(decoded.map(([key, { type }]) => [key, type])).toEqual(
          original.map(([key, { type }]) => [key, type]),
        );
        for (const [i, [, { type, value: after }]] of decoded.entries()) {
          const before = original[i]?.[1].value;
          if (type !== "d") expect(after).toBe(before);
          else if (after !== before)
            expect(Math.abs(after - Number(before))).toBeLessThanOrEqual(0.5000001e-6);
        }
      }),
    );
  });

  test("that can be decoded is the only text of its content", () => {
    fc.assert(
      fc.property(entries, (original) => {
        const bytes = encodeKv(original);
        expect(encodeKv(decodeKv(bytes))).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(nearlyKv, (bytes) => {
        try {
          expect(encodeKv(decodeKv(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(KvError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("that is garbage throws nothing but KvError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeKv(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(KvError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a signature", () => {
  test("splits into its parts", () => {
    const userid = fc.integer({ min: 0, max: 0xfffffffe });
    const payload = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(userid, payload, entries, (id, content, extra) => {
        const more = extra.map(([key, value]) => [`x.${key}`, value] as const);
        const parsed = parseSignature(`${signingInput("m", id, content, more)}.s`);
        expect(parsed).toMatchObject({ mechanism: "m", userid: id, signature: "s" });
        expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(parsed.payload)).toBe(content);
        expect(parsed.header.size).toBe(3 + extra.length);
      }),
    );
  });

  test("that is garbage throws nothing but SignatureError", () => {
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      nearlyKv.map((kv) => Buffer.from(kv).toString("base64")),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        try {
          parseSignature(parts.join("."));
        } catch (error) {
          expect(error).toBeInstanceOf(SignatureError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a curve signature", () => {
  test("does not verify with any one character changed, removed or added", async () => {
    const now = () => 1_795_000_000_000;
    const signer = await curveSigner({ key: curveJwk, userid: 1000, now });
    const good = await signer.sign('{"topic":"rexec.list"}');
    const options = { userid: 1000, certificate: certificateOf(good), maxTtl: 300, now };
    const verify = async (signature: string) => curveVerify(parseSignature(signature), options);
    await verify(good);

    const refused = async (signature: string) => {
      await expect(verify(signature), signature).rejects.toThrow(SignatureError);
    };
    for (let at = 0; at < good.length; at++) {
      const [before, character, after] = [good.slice(0, at), good[at], good.slice(at + 1)];
      await refused(before + after);
      await refused(`${before}A${character}${after}`);
      for (const other of ["A", "B", "/", "=", ".", " ", "\0", "é"]) {
        if (other !== character) await refused(before + other + after);
      }
      // One bit, so that the stray bits at the end of base64 are tried, too.
      for (let bit = 0; bit < 7; bit++) {
        const flipped = String.fromCharCode((character as string).charCodeAt(0) ^ (1 << bit));
        await refused(before + flipped + after);
      }
    }
  });
});

describe("a certificate file", () => {
  test("decodes to its encoded value", () => {
    const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
    const printable = fc.string().filter((s) => !/["\\\p{Cc}]/u.test(s));
    const scalar = fc.oneof(
      printable.map((value) => ({ type: "s" as const, value })),
      value.filter(({ type }) => type === "i" || type === "b" || type === "t"),
      fc.integer().map((n) => ({ type: "d" as const, value: n / 64 })),
    );
    const metadata = fc.uniqueArray(fc.tuple(key, scalar), { selector: ([name]) => name });
    fc.assert(
      fc.property(metadata, (facts) => {
        const { publicKey } = plainCertificate("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        const certificate: CurveCertificate = { metadata: new Map(facts), publicKey };
        const read = parseCertificateFile(formatCertificateFile(certificate));
        expect([...read.metadata]).toEqual(facts);
      }),
    );
  });

  test("that is garbage throws nothing but TypeError", () => {
    const line = fc.oneof(
      fc.constantFrom("[metadata]", "[curve]", 'public-key = "AAAA"', "a = 1"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          parseCertificateFile(lines.join("\n"));
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});

function certificateOf(signature: string): CurveCertificate {
  const publicKey = parseSignature(signature).header.get("curve.cert.curve.public-key")?.value;
  return plainCertificate(String(publicKey));
}
