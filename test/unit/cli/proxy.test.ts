import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCertificateFile, parseSecretFile } from "../../../src/signing/curve-files.js";
import { cli, outcome, type RunningCli, startCli } from "./run-cli.js";

const claims = ["--issuer", "me", "--audience", "test"];
let directory: string;
let privateKey: string;
let jwks: string;
let proxy: RunningCli;
let env: Record<string, string>;

async function startProxy(...options: string[]): Promise<RunningCli & { url: string }> {
  const running = startCli(["proxy", "--embedded", "2", "--jwks", jwks, ...claims, "--no-audit", ...options]);
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

test("--dashboard serves a page, at the URL that it prints after its own", async () => {
  const served = await startProxy("--dashboard");
  await served.shows("http://");
  served.child.kill("SIGTERM");
  const { code, stdout, stderr } = await served.result;
  const [ws, http] = stdout.toString().trim().split("\n");
  expect([code, stderr, http]).toEqual([0, "", ws?.replace("ws:", "http:")]);
});

describe("keygen", () => {
  test("keeps the private key to its owner", async () => {
    expect((await stat(privateKey)).mode & 0o777).toBe(0o600);
  });

  test("overwrites no file and leaves no half of a pair", async () => {
    const half = join(directory, "half.jwk");
    const [code, , stderr] = await outcome(["keygen", "--private", half, "--jwks", jwks]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("file already exists")]);
    await expect(stat(half)).rejects.toThrow("ENOENT");
  });
});

describe("keygen --curve", () => {
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
  const curve = (name: string) => {
    const dir = join(directory, name);
    return { dir, jwk: join(directory, `${name}.jwk`), sig: join(dir, "sig"), pub: join(dir, "sig.pub") };
  };
  const keygen = ({ jwk, dir }: ReturnType<typeof curve>) =>
    outcome(["keygen", "--curve", "--private", jwk, "--curve-dir", dir]);

  test("makes the JWK and the two files of Flux from one key", async () => {
    const files = curve("curve");
    expect(await keygen(files)).toEqual([0, "", ""]);
    expect(await Promise.all([files.jwk, files.sig, files.pub].map(modeOf))).toEqual([0o600, 0o600, 0o644]);
    const jwk = JSON.parse(await readFile(files.jwk, "utf8"));
    const { publicKey, metadata } = parseCertificateFile(await readFile(files.pub, "utf8"));
    expect(Buffer.from(publicKey, "base64").toString("base64url")).toBe(jwk.x);
    expect([...metadata.keys()]).toEqual(["algorithm"]);
    expect(parseSecretFile(await readFile(files.sig, "utf8"))).toMatchObject({ d: jwk.d, x: jwk.x });
  });

  test("overwrites no file and leaves no part of the key", async () => {
    const files = curve("half");
    expect((await keygen(files))[0]).toBe(0);
    await rm(files.jwk);
    await rm(files.sig);
    const before = await readFile(files.pub, "utf8");
    const [code, , stderr] = await keygen(files);
    expect([code, stderr]).toEqual([1, expect.stringContaining("file already exists")]);
    await expect(stat(files.jwk)).rejects.toThrow("ENOENT");
    await expect(stat(files.sig)).rejects.toThrow("ENOENT");
    expect(await readFile(files.pub, "utf8")).toBe(before);
  });

  test.each(["jwk", "sig"] as const)(
    "its %s signs in the proxy, unless other users may read it",
    async (which) => {
      const files = curve(`signs-${which}`);
      await keygen(files);
      const signing = ["--sign", "curve", "--curve-key", files[which]];
      const { url, child, result } = await startProxy(...signing);
      const list = ["ps", "-r", "0"];
      const [code] = await outcome(list, { env: { ...env, FLUX_SUBPROCESS_URL: url } });
      expect(code).toBe(0);
      child.kill("SIGTERM");
      expect((await result).code).toBe(0);
      await chmod(files[which], 0o640);
      const common = ["proxy", "--embedded", "1", "--jwks", jwks, ...claims, ...signing];
      const [refused, , stderr] = await outcome(common);
      expect([refused, stderr]).toEqual([1, expect.stringContaining("is a secret that others may read")]);
    },
  );
});

describe("tokens that allow less", () => {
  const using = async (...options: string[]) => {
    const token = await cli(["token", "--key", privateKey, ...claims, "--sub", "tester", ...options]);
    expect(token.stderr).toBe("");
    return { env: { ...env, FLUX_SUBPROCESS_TOKEN: token.stdout.toString() } };
  };
  const denied = (what: string) => [1, "", expect.stringContaining(`token does not allow ${what}\n`)];

  test("by scope", async () => {
    const options = await using("--scope", "list");
    expect((await outcome(["ps", "-r", "0"], options))[0]).toBe(0);
    expect(await outcome(["kill", "-r", "0", "TERM", "1"], options)).toEqual(denied("kill: scope"));
  });

  test("by details", async () => {
    const file = join(directory, "details.json");
    await writeFile(
      file,
      JSON.stringify([{ type: "flux_subprocess", actions: ["exec"], commands: [["echo", "*"]] }]),
    );
    const options = await using("--details", file);
    expect(await outcome(["exec", "-r", "0", "echo", "hi"], options)).toEqual([0, "hi\n", ""]);
    const [code, , stderr] = await outcome(["exec", "-r", "0", "id"], options);
    expect([code, stderr]).toEqual([
      expect.any(Number),
      expect.stringContaining("token does not allow exec: commands"),
    ]);
  });

  test("a token of another user is refused, and a detail that no proxy would accept", async () => {
    const options = await using("--uid", String((process.getuid?.() ?? 0) + 1));
    expect(await outcome(["ps"], options)).toEqual([1, "", expect.stringContaining("another user")]);
    const file = join(directory, "wrong.json");
    await writeFile(file, '[{"type":"flux_subprocess","actions":["exec"],"path":"/"}]');
    const [code, , stderr] = await outcome([
      ...["token", "--key", privateKey, ...claims, "--sub", "x", "--details", file],
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("an unknown field")]);
  });
});

test("the audit goes to stderr, or to a file", async () => {
  const file = join(directory, "audit.log");
  const lines: Record<string, string[]> = {};
  for (const target of ["-", file]) {
    const { url, child, result } = await startProxy("--audit", target);
    await outcome(["ps", "-r", "1"], { env: { ...env, FLUX_SUBPROCESS_URL: url } });
    child.kill("SIGTERM");
    const { stderr } = await result;
    const text = target === "-" ? stderr : await readFile(file, "utf8");
    if (target !== "-") expect(stderr).toBe("");
    lines[target] = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).event);
  }
  expect(lines).toEqual({
    "-": ["opened", "operation", "closed"],
    [file]: ["opened", "operation", "closed"],
  });
});

describe("the verbs, through a proxy of another process", () => {
  test("exec", async () => {
    expect(await outcome(["exec", "-r", "1", "cat"], { env, stdin: "hi" })).toEqual([0, "hi", ""]);
  });

  test("a refused token is an error of one line", async () => {
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

  test("ps --watch prints the processes again after each change, until a signal", async () => {
    const header = "      PID ST LABEL        COMMAND\n";
    const watching = startCli(["ps", "-w", "-r", "1"], { env });
    await watching.shows(header);
    await outcome(["exec", "--bg", "--label", "nap", "-r", "1", "sleep", "600"], { env });
    await watching.shows(" R  nap          sleep\n");
    await outcome(["kill", "-r", "1", "KILL", "nap"], { env });
    const naps = () =>
      watching
        .output()
        .split("\n\n")
        .map((table) => table.split("nap").length - 1);
    while (naps().length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
    watching.child.kill("SIGINT");
    expect(await watching.result).toMatchObject({ code: 0, stderr: "" });
    expect(naps()).toEqual([0, 1, 0]);
    expect(
      watching
        .output()
        .split("\n\n")
        .every((table) => table.startsWith(header.trimEnd())),
    ).toBe(true);
  });

  test("ps --watch reports an error, and goes on", async () => {
    const watching = startCli(["ps", "-w", "-n", "-r", "0", "--service", "none.rexec"], { env });
    while (!watching.error().includes("\n")) await new Promise((resolve) => setTimeout(resolve, 50));
    watching.child.kill("SIGINT");
    expect(await watching.result).toMatchObject({
      code: 0,
      stdout: Buffer.alloc(0),
      stderr: expect.stringContaining("flux-subprocess ps: Error: "),
    });
  });

  test("ps --watch of a rank that does not exist reports it, and ends", async () => {
    const { result } = startCli(["ps", "-w", "-n", "-r", "99"], { env });
    expect(await result).toMatchObject({
      code: 1,
      stdout: Buffer.alloc(0),
      stderr: "flux-subprocess ps: Error: no such rank\n",
    });
  });

  test("wait gives the status and the retained output", async () => {
    const words = ["sh", "-c", "echo out; echo err >&2; exit 5"];
    await outcome(["exec", "--bg", "--waitable", "--label", "short", "-r", "0", ...words], { env });
    expect(await outcome(["wait", "-o", "short"], { env })).toEqual([5, "out\n", "err\n"]);
  });

  test("kill --wait exits with the exit code of the process", async () => {
    await outcome(["exec", "--bg", "--waitable", "--label", "nap", "-r", "0", "sleep", "600"], { env });
    expect(await outcome(["kill", "-w", "9", "nap"], { env })).toEqual([137, "", ""]);
  });
});

test("the proxy listens on an IPv6 address", async () => {
  const { url, child, result } = await startProxy("--listen", "[::1]:0");
  expect(url).toMatch(/^ws:\/\/\[::1\]:\d+\/$/);
  child.kill("SIGINT");
  expect((await result).code).toBe(0);
});

test("a proxy that dies is an error, not a success", async () => {
  const { url, child, result } = await startProxy();
  // cat ends with the broker, which cannot end it any more.
  const running = startCli(["exec", "sh", "-c", "echo up $FLUX_URI; exec cat"], {
    env: { ...env, FLUX_SUBPROCESS_URL: url },
  });
  await Promise.all([running.shows("local-0"), running.shows("local-1")]);
  child.kill("SIGKILL");
  await result;
  // Another proxy in its place does not know the session.
  const another = await startProxy("--listen", new URL(url).host);
  const { code, stdout, stderr } = await running.result;
  // A proxy that was killed cannot tidy up.
  const [, directory] = /local:\/\/(\S+)\/local-0/.exec(stdout.toString()) ?? [];
  await rm(String(directory), { recursive: true });
  expect(code).toBe(1);
  expect(stderr).toMatch(/the connection to the proxy was lost, .*; trying to resume\n/);
  expect(stderr).toMatch(/there is no such session to resume/);
  another.child.kill("SIGTERM");
  expect((await another.result).code).toBe(0);
});
