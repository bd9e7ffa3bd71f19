/** The switch for a Flux that has mended what {@link BACKGROUND} refuses. */
import { expect, test } from "vitest";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, generateKeys, signToken } from "../../proxy/index.js";
import { RawClient } from "../unit/proxy/support/raw-client.js";
import { AUDIENCE, ISSUER } from "./world.js";

test.each([
  [undefined, false],
  [false, false],
  [true, true],
])("allowUnbufferedBackground %s: %s", async (allowUnbufferedBackground, allowed) => {
  const { jwks, privateJwk } = await generateKeys();
  await using broker = await startEmbeddedBroker({ size: 1 });
  await using proxy = await createProxy({
    ...{ uri: broker.uri, jwks, issuer: ISSUER, audience: AUDIENCE, allowUnbufferedBackground },
  });
  const token = await signToken(privateJwk, {
    issuer: ISSUER,
    audience: AUDIENCE,
    subject: "a",
    ttlSeconds: 60,
  });
  const client = await RawClient.open(proxy.url, token);
  const opts = { stdout_LINE_BUFFER: "false" };
  const cmd = { cmdline: ["seq", "1", "300000"], env: { PATH: "/usr/bin:/bin" }, opts, channels: [] };
  client.request(1, "rexec.exec", { cmd, flags: 0 });
  expect(await client.answer(1)).toMatchObject(
    allowed ? { type: "response", payload: { type: "started" } } : { type: "error", errno: 1 },
  );
  // The embedded broker takes no harm from it.
  client.request(2, "rexec.list", {});
  expect(await client.answer(2)).toMatchObject({ type: "response" });
  await client.close();
});
