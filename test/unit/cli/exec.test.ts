import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { cli, outcome, startCli } from "./run-cli.js";

const exec = (...words: string[]) => ["exec", "--embedded", ...words];

describe("exec", () => {
  test("runs on all ranks, labelled", async () => {
    const [code, stdout, stderr] = await outcome(exec("4", "-n", "-l", "echo", "hi"));
    expect([code, stdout.split("\n").sort(), stderr]).toEqual([
      0,
      ["", "0: hi", "1: hi", "2: hi", "3: hi"],
      "",
    ]);
  });

  test("adds no newline to a labelled last line, as flux exec", async () => {
    expect(await outcome(exec("1", "-nl", "printf", "one\\ntwo"))).toEqual([0, "0: one\n0: two", ""]);
  });

  test("keeps a labelled last line without its newline apart from the next line", async () => {
    const [code, stdout] = await outcome(exec("3", "-nl", "printf", "one\\ntwo"));
    expect([code, stdout.endsWith("\n")]).toEqual([0, false]);
    const lines = ["0: one", "0: two", "1: one", "1: two", "2: one", "2: two"];
    expect(stdout.split("\n").sort()).toEqual(lines);
  });

  test("ends a process after its --timeout, and no other", async () => {
    const [code, , stderr] = await outcome(exec("1", "-n", "--timeout", "200ms", "sleep", "60"));
    expect([code, stderr]).toEqual([143, expect.stringContaining("SIGTERM after its timeout")]);
    expect(await outcome(exec("1", "-n", "--timeout", "1m", "true"))).toEqual([0, "", ""]);
  });

  test("leaves ranks out", async () => {
    const [code, stdout] = await outcome(exec("4", "-r", "0-2", "-x", "1", "-nl", "echo", "hi"));
    expect([code, stdout.split("\n").sort()]).toEqual([0, ["", "0: hi", "2: hi"]]);
  });

  test("ends its options at the first word of the command", async () => {
    expect(await outcome(exec("1", "echo", "-n", "--bg", "--", "-x"))).toEqual([0, "--bg -- -x", ""]);
  });

  test("passes stdin, stdout and stderr", async () => {
    const script = "cat; echo oops >&2";
    expect(await outcome(exec("1", "sh", "-c", script), { stdin: "hi\n" })).toEqual([0, "hi\n", "oops\n"]);
  });

  test("passes every byte", async () => {
    const data = randomBytes(4 * 1024 * 1024);
    const { code, stdout } = await cli(exec("2", "-r", "1", "cat"), { stdin: data });
    expect([code, stdout.equals(data)]).toEqual([0, true]);
  });

  test("ends with the process, though stdin is open", async () => {
    expect(await outcome(exec("1", "echo", "done"))).toEqual([0, "done\n", ""]);
  });

  test("ends when the process has read enough", async () => {
    const stdin = "y\n".repeat(4 * 1024 * 1024);
    expect(await outcome(exec("1", "head", "-n", "1"), { stdin })).toEqual([0, "y\n", ""]);
  });

  test("ends as by SIGPIPE if its output has no reader", async () => {
    const { child, shows, result } = startCli(exec("1", "yes"));
    await shows("y");
    child.stdout?.destroy();
    expect((await result).code).toBe(141);
  });

  test.each([
    ["exit 7", 7, "[0-1]: Exit 7\n"],
    ["kill -KILL $$", 137, "[0-1]: SIGKILL\n"],
    ["case $FLUX_URI in *-0) exit 3;; esac; exit 4", 4, "[0]: Exit 3\n[1]: Exit 4\n"],
  ])("exits with the greatest exit code: %s", async (script, code, summary) => {
    const [actual, stdout, stderr] = await outcome(exec("2", "-n", "sh", "-c", script));
    expect([actual, stdout, stderr.split("\n").sort()]).toEqual([code, "", summary.split("\n").sort()]);
    expect(await outcome(exec("2", "-nq", "sh", "-c", script))).toEqual([code, "", ""]);
  });

  test.each([
    [["no-such-program"], 127, "rank 0: no-such-program: "],
    [["/etc/passwd"], 126, "rank 0: /etc/passwd: "],
    [["-r", "5", "true"], 68, "rank 5: true: no such rank"],
  ])("reports why a rank could not start it: %s", async (words, code, message) => {
    const [actual, stdout, stderr] = await outcome(exec("1", ...words));
    expect([actual, stdout]).toEqual([code, ""]);
    expect(stderr).toMatch(/^flux-subprocess exec: Error: .*\n$/);
    expect(stderr).toContain(message);
  });

  test("sets the directory and the environment of the process", async () => {
    const words = [
      "-d",
      "/usr",
      "--env",
      "A=1",
      "--env",
      "__proto__=2",
      "/bin/sh",
      "-c",
      "pwd; /usr/bin/env",
    ];
    const [code, stdout] = await outcome(exec("1", ...words));
    const lines = stdout.split("\n");
    expect([code, lines[0]]).toEqual([0, "/usr"]);
    expect(lines).toEqual(expect.arrayContaining(["A=1", "__proto__=2"]));
    expect(stdout).not.toContain("HOME=");
  });

  test("forwards Ctrl-C", async () => {
    const { child, shows, result } = startCli(
      exec("2", "-r", "0-1", "sh", "-c", "echo up $FLUX_URI; exec sleep 600"),
    );
    await Promise.all([shows("local-0"), shows("local-1")]);
    child.kill("SIGINT");
    expect(await result).toMatchObject({ code: 130, stderr: "[0-1]: SIGINT\n" });
  });

  test("forwards SIGTERM", async () => {
    const { child, shows, result } = startCli(
      exec("1", "sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done"),
    );
    await shows("up");
    child.kill("SIGTERM");
    expect(await result).toMatchObject({ code: 5, stderr: expect.stringMatching(/^\[0\]: Exit 5\n$/m) });
  });

  test("ends by SIGTERM when the process has ended and its child has not", async () => {
    const { child, shows, result } = startCli(exec("1", "sh", "-c", "setsid sleep 600 & echo up $!"));
    await shows("\n");
    // Each signal is forwarded until the end of the process is known. The first one after that ends the command.
    const again = setInterval(() => child.kill("SIGTERM"), 1000);
    const { code, stdout } = await result;
    clearInterval(again);
    process.kill(Number(stdout.toString().slice(3)));
    expect(code).toBe(143);
  });

  test("ends by a third Ctrl-C", async () => {
    const script = "trap 'echo again' INT; echo up; while :; do sleep 0.05; done";
    const { child, shows, result } = startCli(exec("1", "sh", "-c", script));
    await shows("up");
    child.kill("SIGINT");
    await shows("again\n");
    child.kill("SIGINT");
    await shows("again\nagain\n");
    child.kill("SIGINT");
    const { code, stderr } = await result;
    expect([code, stderr.split("\n").at(-2)]).toEqual([1, "[0]: command still running at exit"]);
  });

  test("goes to background and prints pids", async () => {
    const [code, stdout, stderr] = await outcome(exec("2", "--bg", "sleep", "600"));
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").sort()).toEqual([
      "",
      expect.stringMatching(/^0: \d+$/),
      expect.stringMatching(/^1: \d+$/),
    ]);
  });
});
