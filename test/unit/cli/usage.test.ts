import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { outcome } from "./run-cli.js";

const proxy = ["proxy", "--embedded", "1", "--issuer", "i", "--audience", "a", "--jwks", "x"];
const url = ["--url", "ws://127.0.0.1:1"];

test("--version is the package's", async () => {
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  expect(await outcome(["--version"])).toEqual([0, `${version}\n`, ""]);
});

describe("wrong usage is one line on stderr and exit code 2", () => {
  test.each([
    [["frob"], "unknown command 'frob'"],
    [["exec", "--frob", "true"], "unknown option '--frob'"],
    [["exec", "--embedded", "1"], "missing required argument 'command'"],
    [["exec", "--embedded", "0", "true"], "It is 1 or more."],
    [["exec", "--embedded", "1", "-r", "3-1", "true"], "It is a set of ranks"],
    [["exec", "--embedded", "1", "--env", "A", "true"], "It is NAME=VALUE."],
    [["exec", "--embedded", "1", "--waitable", "true"], "--waitable is for --bg"],
    [["exec", "--embedded", "1", "--timeout", "soon", "true"], 'It is a time such as "10s"'],
    [["exec", "--embedded", "1", "--timeout", "25d", "true"], "at most 24 days"],
    [["exec", "--embedded", "1", "--bg", "--timeout", "1s", "true"], "--timeout is not for --bg"],
    [["exec", "true"], "no proxy: give --url"],
    [["exec", ...url, "true"], "no token: give --token-file"],
    [["exec", ...url, "--embedded", "1", "true"], "--embedded goes with neither"],
    [["exec", "--embedded", "1", "--service", "frob", "true"], 'not a subprocess service: "frob"'],
    [["kill", "--embedded", "1", "FROB", "x"], "It is a signal's number or name."],
    [["attach", "--embedded", "2", "-r", "0-1", "99"], "a pid is of one rank: --rank names 2"],
    [["attach", "--embedded", "2", "-r", "0-1", "2147483647"], "a pid is of one rank: --rank names 2"],
    [["proxy", "--jwks", "x", "--issuer", "x", "--audience", "x"], "no broker: give --uri"],
    [["proxy", "--listen", "::1:80"], "It is HOST:PORT"],
    [["keygen", "--private", "x", "--jwks", "y", "--alg", "HS256"], "Allowed choices are"],
    [["keygen", "--private", "x"], "give --private and --jwks, or --curve"],
    [["keygen", "--private", "x", "--curve", "--jwks", "y"], "--jwks has no use with --curve"],
    [["keygen", "--private", "x", "--jwks", "y", "--curve-dir", "z"], "--curve-dir is for --curve"],
    [[...proxy, "--sign", "curve"], "--sign curve and --curve-key go together"],
    [[...proxy, "--curve-key", "x"], "--sign curve and --curve-key go together"],
    [[...proxy, "--sign", "frob"], "Allowed choices are none, munge, curve."],
    [[...proxy, "--secret", "x"], "give one of --jwks and --secret"],
    [["proxy", "--embedded", "1", "--issuer", "i", "--audience", "a"], "give one of --jwks and --secret"],
    [["token", "--key", "x", "--scope", "list wirte"], 'not "wirte"'],
    [["token", "--key", "x"], "required option '--issuer <ISS>' not specified"],
  ])("%s", async (args, message) => {
    const [code, stdout, stderr] = await outcome(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^flux-subprocess[^\n]*\n$/);
    expect(stderr).toContain(message);
  });
});

describe("a failure is one line on stderr and exit code 1", () => {
  const env = { FLUX_SUBPROCESS_TOKEN: "x" };

  test.each([
    [["ps", ...url], "the proxy cannot be reached"],
    [["exec", ...url, "true"], "the proxy cannot be reached"],
    [["exec", "--bg", "-r", "0-1", ...url, "true"], "the proxy cannot be reached"],
    [["ps", ...url, "--token-file", "/nonexistent"], "/nonexistent"],
    [["ps", ...url, "--token-file", "/dev/null"], "/dev/null has no token"],
    [["exec", "--embedded", "2", "-x", "0-1", "true"], "no ranks are left"],
    [["wait", "--embedded", "1", "nobody"], "nobody"],
    [["kill", "--embedded", "1", "TERM", "nobody"], "nobody"],
    [["kill", "--embedded", "1", "TERM", "2147483647"], "pid 2147483647 does not belong"],
    [["kill", "--embedded", "1", "TERM", "2147483648"], "label 2147483648 does not belong"],
    [["wait", "--embedded", "1", "0"], "label 0 does not belong"],
  ])("%s", async (args, message) => {
    const [code, stdout, stderr] = await outcome(args, { env });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^flux-subprocess \w+: Error: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });
});

test("help is not an error", async () => {
  const [code, stdout, stderr] = await outcome(["exec", "--help"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("--exclude <RANKS>");
});
