/** RFC 42 has integers of 32 bits, which flux-core cuts to that size: a larger one is refused, whatever the token allows. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type RunningProxy } from "../../proxy/index.js";
import { connect, type Flux, rexecBg } from "../../src/index.js";
import { failure } from "../support/process.js";

const claims = { issuer: "https://issuer.test", audience: "flux", subject: "alice", ttlSeconds: 600 };

let broker: EmbeddedBroker;
let proxy: RunningProxy;
let flux: Flux;
let pid: number;

beforeAll(async () => {
  broker = await startEmbeddedBroker({ size: 1 });
  const { privateJwk, jwks } = await generateKeys();
  proxy = await createProxy({ uri: broker.uri, jwks, ...claims });
  flux = connect(proxy.url, { token: await signToken(privateJwk, { ...claims, scope: "exec kill" }) });
  pid = await rexecBg(flux, ["sleep", "1000"]).getPid();
});
afterAll(async () => {
  flux?.close();
  await proxy?.close();
  await broker?.close();
});

test.each([
  ["pid", () => ({ pid: 2n ** 60n + BigInt(pid), signum: 9 }), "pid is not an integer of 1 to 2147483647"],
  ["signum", () => ({ pid, signum: 2n ** 60n + 9n }), "signum is over 32 bits"],
  ["pid beside a label", () => ({ pid: 2n ** 60n, label: "l", signum: 9 }), "pid is over 32 bits"],
])("kill with a %s of 64 bits", async (_, payload, reason) => {
  const error = await failure(flux.rpc("rexec.kill", payload()).get());
  expect(error).toMatchObject({ code: "EPERM", message: expect.stringContaining(reason) });
});

test("exec with flags of 64 bits", async () => {
  const cmd = { cmdline: ["true"], env: {}, opts: {}, channels: [] };
  const error = await failure(flux.rpc("rexec.exec", { cmd, flags: 2n ** 60n }).get());
  expect(error).toMatchObject({ code: "EPERM", message: expect.stringContaining("flags is over 32 bits") });
});

test("kill with integers of 32 bits", async () => {
  expect(await flux.rpc("rexec.kill", { pid, signum: 15 })).toEqual({});
});
