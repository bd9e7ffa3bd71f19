/** The command line signs with its user's key, through a gateway without that key. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signToken } from "../../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../../proxy/embedded/index.js";
import { createProxy, generateKeys, type RunningProxy } from "../../../proxy/index.js";
import { outcome, startCli } from "./run-cli.js";

const GUEST = 4242;
const SERVICE = `${GUEST}-shell-f6sYx2X9.rexec`;
const CLAIMS = { issuer: "issuer", audience: "audience", subject: "guest" };

let directory: string;
let broker: EmbeddedBroker;
let proxy: RunningProxy;
let connection: string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "cli-signing-"));
  const curve = join(directory, "curve");
  const [code, , error] = await outcome([
    ...["keygen", "--curve", "--private", join(directory, "key.jwk"), "--curve-dir", curve],
  ]);
  expect([code, error]).toEqual([0, ""]);
  broker = await startEmbeddedBroker({
    shells: [{ userid: GUEST, certificate: join(curve, "sig.pub"), mechanisms: ["curve"] }],
  });
  const { privateJwk, jwks } = await generateKeys();
  proxy = await createProxy({ uri: broker.uri, jwks, issuer: "issuer", audience: "audience", gateway: true });
  const token = await signToken(privateJwk, { ...CLAIMS, ttlSeconds: 600, userid: GUEST });
  await writeFile(join(directory, "token"), token);
  connection = ["--url", proxy.url, "--token-file", join(directory, "token")];
});

afterAll(async () => {
  await proxy.close();
  await broker.close();
  await rm(directory, { recursive: true });
});

/** The options that sign, with the key that `keygen --curve` has made as Flux keeps it. */
const key = () => ["--key", join(directory, "curve", "sig")];
const at = () => [...connection, "--service", SERVICE];

describe("a guest's job through a gateway", () => {
  test("a request without a signature is refused", async () => {
    const [code, stdout, stderr] = await outcome(["exec", ...at(), "-n", "id"]);
    expect([code, stdout]).toEqual([126, ""]);
    expect(stderr).toContain("the proxy cannot sign");
  });

  test.each(["sig", "the JWK"])("exec signs with %s, its input too", async (file) => {
    const option = file === "sig" ? key() : ["--key", join(directory, "key.jwk")];
    expect(await outcome(["exec", ...at(), ...option, "cat"], { stdin: "signed input" })).toEqual([
      0,
      "signed input",
      "",
    ]);
  });

  test("ps, kill and wait sign", async () => {
    const sign = [...at(), ...key()];
    const start = ["exec", ...sign, "--bg", "--waitable", "--label", "nap", "sleep", "60"];
    expect(await outcome(start)).toEqual([0, expect.stringMatching(/^0: \d+\n$/), ""]);
    expect(await outcome(["ps", ...sign, "-n"])).toEqual([0, expect.stringContaining("nap"), ""]);
    expect((await outcome(["kill", ...sign, "TERM", "nap"]))[0]).toBe(0);
    expect((await outcome(["wait", ...sign, "nap"]))[0]).toBe(128 + 15);
  });

  test("attach signs, and the signals that it forwards", async () => {
    const sign = [...at(), ...key()];
    const talk = "while sleep 0.2; do echo here; done";
    await outcome(["exec", ...sign, "--bg", "--label", "talk", "sh", "-c", talk]);
    const attached = startCli(["attach", ...sign, "talk"]);
    await attached.shows("here");
    attached.child.kill("SIGTERM");
    expect((await attached.result).code).toBe(128 + 15);
  });

  test("a signature of another user is refused", async () => {
    const [code, , stderr] = await outcome(["exec", ...at(), ...key(), "--userid", "4243", "-n", "id"]);
    expect(code).toBe(1);
    expect(stderr).toContain("the signer is of user 4243, the token of 4242");
  });

  test("a key that other users may read is refused", async () => {
    const open = join(directory, "open.jwk");
    await writeFile(open, await readFile(join(directory, "key.jwk")));
    await chmod(open, 0o644);
    const [code, , stderr] = await outcome(["exec", ...at(), "--key", open, "id"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("chmod 600");
  });
});

test("keygen --curve lets only its user read the secret half", async () => {
  const mode = async (file: string) => (await stat(join(directory, "curve", file))).mode & 0o777;
  expect([await mode("sig"), await mode("sig.pub")]).toEqual([0o600, 0o644]);
});

test("--userid without --key is wrong usage", async () => {
  expect(await outcome(["ps", ...connection, "--userid", "1"])).toEqual([
    2,
    "",
    expect.stringContaining("--userid is for --key"),
  ]);
});
