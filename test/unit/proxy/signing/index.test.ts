import { expect, test } from "vitest";
import { createSigner, type SignerOptions } from "../../../../proxy/signing/index.js";
import { parseSignature } from "../../../../src/signing/signature.js";
import { curveJwk } from "../../src/signing/vectors.js";

const userid = process.getuid?.();

test.each<SignerOptions>([
  { mechanism: "none" },
  { mechanism: "munge", socket: "/nonexistent/munge.socket" },
  { mechanism: "curve", key: curveJwk, ttl: 60 },
])("signs with $mechanism for the user that it runs as", async (options) => {
  expect(await createSigner(options)).toMatchObject({ mechanism: options.mechanism, userid });
});

test("hands the options on", async () => {
  const curve = await createSigner({ mechanism: "curve", key: curveJwk, ttl: 60, now: () => 1000 });
  expect(parseSignature(await curve.sign("{}")).header.get("curve.xtime")?.value).toBe(61);
  const munge = await createSigner({ mechanism: "munge", socket: "/nonexistent/munge.socket" });
  await expect(munge.sign("{}")).rejects.toThrow("/nonexistent/munge.socket");
});

test("fails at once for a key that cannot sign", async () => {
  await expect(createSigner({ mechanism: "curve", key: "no key" })).rejects.toThrow(TypeError);
});
