import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli, outcome, type RunningCli, startCli } from "./run-cli.js";

const claims = ["--issuer", "me", "--audience", "test"];
let directory: string;
let privateKey: string;
let jwks: string;
let proxy: RunningCli;
let env: Record<string, string>;

async function startProxy(...options: string[]): Promise<RunningCli & { url: string }> {
  const running = startCli(["proxy", "--embedded", "2", "--jwks", jwks, ...claims, ...options]);
  let url = "";
  running.child.stdout?.on("data", (data) => {
    url += data;
  });
  await running.shows("\n");
  return { ...running, url: url.trim() };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "flux-subprocess-test-"));
  privateKey = join(directory, "private.jwk");
  jwks = join(directory, "jwks.json");
  expect(await outcome(["keygen", "--private", privateKey, "--jwks", jwks])).toEqual([0, "", ""]);
  const token = await cli(["token", "--key", privateKey, ...claims, "--sub", "tester"]);
  const started = await startProxy();
  proxy = started;
  env = { FLUX_SUBPROCESS_URL: started.url, FLUX_SUBPROCESS_TOKEN: token.stdout.toString() };
});

afterAll(async () => {
  proxy.child.kill("SIGTERM");
  expect(await proxy.result).toMatchObject({ code: 0, stderr: "" });
  await rm(directory, { recursive: true });
});

describe("keygen", () => {
  test("keeps the private key to its owner", async () => {
    expect((await stat(privateKey)).mode & 0o777).toBe(0o600);
  });

  test("overwrites nothing and leaves no half", async () => {
    const half = join(directory, "half.jwk");
    const [code, , stderr] = await outcome(["keygen", "--private", half, "--jwks", jwks]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("file already exists")]);
    await expect(stat(half)).rejects.toThrow("ENOENT");
  });
});

describe("the verbs, through a proxy of another process", () => {
  test("exec", async () => {
    expect(await outcome(["exec", "-r", "1", "cat"], { env, stdin: "hi" })).toEqual([0, "hi", ""]);
  });

  test("a token that is refused", async () => {
    const wrong = { ...env, FLUX_SUBPROCESS_TOKEN: "x" };
    const [code, , stderr] = await outcome(["exec", "true"], { env: wrong });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^flux-subprocess exec: Error: token is not [^\n]*\n$/),
    ]);
  });

  test("exec --bg, ps, attach, kill and wait", async () => {
    const script = "trap 'echo bye; exit 3' TERM; while :; do echo tick; sleep 0.05; done";
    const words = ["--bg", "--waitable", "--label", "clock", "-r", "1", "sh", "-c", script];
    const [, started] = await outcome(["exec", ...words], { env });
    const pid = /^1: (\d+)\n$/.exec(started)?.[1] as string;

    const [, table] = await outcome(["ps", "-r", "1"], { env });
    expect(table).toBe(`      PID ST LABEL        COMMAND\n${pid.padStart(9)} R  clock        sh\n`);

    const watching = startCli(["attach", "-r", "1", "clock"], { env });
    await watching.shows("tick\n");
    watching.child.kill("SIGINT");
    expect(await watching.result).toMatchObject({ code: 0, stderr: expect.stringMatching(/^detached; /) });

    const following = startCli(["attach", "-r", "1", "-l", pid], { env });
    await following.shows("1: tick\n");
    expect(await outcome(["kill", "-r", "1", "TERM", "clock"], { env })).toEqual([0, "", ""]);
    const { code, stdout, stderr } = await following.result;
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^\[1\]: Exit 3\n$/m)]);
    expect(stdout.toString()).toContain("1: bye\n");
  });

  test("wait gives the status and the output that was kept", async () => {
    const words = ["sh", "-c", "echo out; echo err >&2; exit 5"];
    await outcome(["exec", "--bg", "--waitable", "--label", "short", "-r", "0", ...words], { env });
    expect(await outcome(["wait", "-o", "short"], { env })).toEqual([5, "out\n", "err\n"]);
  });

  test("kill --wait exits as the process did", async () => {
    await outcome(["exec", "--bg", "--waitable", "--label", "nap", "-r", "0", "sleep", "600"], { env });
    expect(await outcome(["kill", "-w", "9", "nap"], { env })).toEqual([137, "", ""]);
  });
});

test("an IPv6 address", async () => {
  const { url, child, result } = await startProxy("--listen", "[::1]:0");
  expect(url).toMatch(/^ws:\/\/\[::1\]:\d+\/$/);
  child.kill("SIGINT");
  expect((await result).code).toBe(0);
});

test("a proxy that dies is an error, not a success", async () => {
  const { url, child, result } = await startProxy();
  // cat ends when the broker does: nobody is left to end it.
  const running = startCli(["exec", "sh", "-c", "echo up $FLUX_URI; exec cat"], {
    env: { ...env, FLUX_SUBPROCESS_URL: url },
  });
  await Promise.all([running.shows("local-0"), running.shows("local-1")]);
  child.kill("SIGKILL");
  await result;
  const { code, stderr } = await running.result;
  expect([code, stderr]).toEqual([1, expect.stringContaining("the connection to the proxy was lost")]);
});
