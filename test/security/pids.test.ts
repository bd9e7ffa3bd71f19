/** A pid beyond 32 bits, 0 or negative reaches no process, and is in the audit. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type RunningProxy } from "../../proxy/index.js";
import { connect, type Flux, list, rexecBg } from "../../src/index.js";
import { failure } from "../support/process.js";

const claims = { issuer: "https://issuer.test", audience: "flux", subject: "alice", ttlSeconds: 600 };

let broker: EmbeddedBroker;
let proxy: RunningProxy;
let flux: Flux;
let pid: number;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  broker = await startEmbeddedBroker({ size: 1 });
  const { privateJwk, jwks } = await generateKeys();
  const audit = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  proxy = await createProxy({ uri: broker.uri, jwks, ...claims, audit });
  flux = connect(proxy.url, { token: await signToken(privateJwk, claims) });
  pid = await rexecBg(flux, ["sleep", "1000"]).getPid();
});
afterAll(async () => {
  flux?.close();
  await proxy?.close();
  await broker?.close();
});

const running = async () => (await list(flux).getProcesses()).map((process) => process.pid);

test.each([
  ["2^32 + PID", (own: number) => 2 ** 32 + own],
  ["PID - 2^32", (own: number) => own - 2 ** 32],
  ["0, a process group of its own", () => 0],
  ["-1, every process", () => -1],
  ["-PID, its process group", (own: number) => -own],
])("kill 9 of %s", async (_, of) => {
  const wrong = of(pid);
  const error = await failure(flux.rpc("rexec.kill", { pid: wrong, signum: 9 }).get());
  const reason = "no token allows kill: pid is not an integer of 1 to 2147483647";
  expect(error).toMatchObject({ code: "EPERM", reason });
  expect(lines.at(-1)).toMatchObject({ operation: "kill", pid: wrong, allowed: false, reason });
  expect(await running()).toEqual([pid]);
});

test("kill 15 of the pid itself ends it", async () => {
  await flux.rpc("rexec.kill", { pid, signum: 15 }).get();
  while ((await running()).length > 0);
  expect(lines.find(({ operation, allowed }) => operation === "kill" && allowed)).toMatchObject({
    pid,
    errno: 0,
  });
});
