/** The verbs on several ranks, through a proxy of this process. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Stack, startStack } from "../../support/stack.js";
import { outcome, startCli } from "./run-cli.js";

let stack: Stack;
let env: Record<string, string>;
beforeAll(async () => {
  stack = await startStack({ hosts: ["login", "node1", "node2", "node3"] });
  env = { FLUX_SUBPROCESS_URL: stack.url, FLUX_SUBPROCESS_TOKEN: stack.token };
});
afterAll(() => stack?.close());

const run = (...args: string[]) => outcome(args, { env });
const nap = (label: string, ranks: string, ...words: string[]) =>
  run(
    "exec",
    "--bg",
    "--waitable",
    "--label",
    label,
    "-r",
    ranks,
    ...(words.length ? words : ["sleep", "600"]),
  );
const unknown = (label: string) => `label ${label} does not belong to any subprocess`;

// Each runs the command line a dozen times.
describe("ranks", { timeout: 120_000 }, () => {
  test("ps shows the ranks and hosts of several ranks, and reports those that failed", async () => {
    const [, started] = await nap("shown", "0,3");
    const pids = [...started.matchAll(/^(\d): (\d+)$/gm)].map(([, rank, pid]) => [rank, pid?.padStart(9)]);
    expect(pids.map(([rank]) => rank)).toEqual(["0", "3"]);
    const [code, table, errors] = await run("ps", "-r", "0-3,8-9");
    expect(table).toBe(
      "RANK HOST               PID ST LABEL        COMMAND\n" +
        `   0 login        ${pids[0]?.[1]} R  shown        sleep\n` +
        `   3 node3        ${pids[1]?.[1]} R  shown        sleep\n`,
    );
    expect([code, errors]).toEqual([1, expect.stringMatching(/^flux-subprocess ps: Error: rank 8-9: .+\n$/)]);
    expect(await run("ps", "-n", "-r", "node[1-2]")).toEqual([0, "", ""]);
    expect((await run("ps", "-r", "all"))[1]).toBe(table);
    // One rank: as ever.
    expect((await run("ps", "-r", "node3"))[1]).toMatch(/^ {6}PID ST LABEL {8}COMMAND\n *\d+ R {2}shown/);
    expect(await run("kill", "-r", "all", "KILL", "shown")).toEqual([
      1,
      "",
      `flux-subprocess kill: Error: rank 1-2 (node1,node2): ${unknown("shown")}\n`,
    ]);
    expect((await run("wait", "-r", "0,3", "shown"))[0]).toBe(137);
  });

  test("kill and wait reach hosts, and give the greatest exit code", async () => {
    await nap("job", "node[1-3]", "sh", "-c", "trap 'exit 7' TERM; echo out; while :; do sleep 0.05; done");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await run("kill", "-r", "node[1-2]", "TERM", "job")).toEqual([0, "", ""]);
    expect(await run("wait", "-o", "-r", "node1,node2", "job")).toEqual([
      7,
      "out\nout\n",
      expect.stringMatching(/^\[1-2\]: Exit 7\n$/m),
    ]);
    const [code, , stderr] = await run("wait", "-r", "login,node1", "job");
    expect([code, stderr]).toEqual([
      1,
      `flux-subprocess wait: Error: rank 0-1 (login,node1): ${unknown("job")}\n`,
    ]);
    expect(await run("kill", "-w", "-r", "node[2-3]", "KILL", "job")).toEqual([
      137,
      "",
      `[3]: SIGKILL\nflux-subprocess kill: Error: rank 2 (node2): ${unknown("job")}\n`,
    ]);
  });

  test("exec and attach take hosts, and name them in errors", async () => {
    expect(await run("exec", "-n", "-l", "-r", "node[2-3]", "echo", "hi")).toEqual([
      0,
      expect.stringMatching(/^(2: hi\n3: hi\n|3: hi\n2: hi\n)$/),
      "",
    ]);
    expect((await run("exec", "-n", "-r", "all", "-x", "node[1-3]", "-l", "echo", "hi"))[1]).toBe("0: hi\n");
    const [code, , stderr] = await run("exec", "-n", "-r", "node3", "/no/such/program");
    expect([code, stderr]).toEqual([
      127,
      expect.stringContaining("Error: rank 3 (node3): /no/such/program: error launching process"),
    ]);
    const [background, , reported] = await run("exec", "--bg", "-r", "node[1-2]", "/no/such/program");
    expect([background, reported]).toEqual([
      127,
      expect.stringContaining("Error: rank 1-2 (node1,node2): /no/such/program: error launching process"),
    ]);
    await nap("followed", "node2");
    const following = startCli(["attach", "-r", "node2", "followed"], { env });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await run("kill", "-r", "node2", "TERM", "followed")).toEqual([0, "", ""]);
    expect((await following.result).code).toBe(143);
  });

  test.each([
    [["ps", "-r", "node9"], 1, "ps: Error: no such host: node9\n"],
    [["exec", "-r", "node[3-5]", "true"], 1, "exec: Error: no such host: node4,node5\n"],
    [["kill", "-r", "node[", "TERM", "x"], 1, "kill: Error: not a hostlist\n"],
    [["kill", "-r", "all", "TERM", "1"], 2, "kill: Error: a pid is of one rank: --rank names 4\n"],
    [["wait", "-r", "node[1-2]", "1"], 2, "wait: Error: a pid is of one rank: --rank names 2\n"],
    [["exec", "-r", "login", "-x", "0", "true"], 1, "exec: Error: no ranks are left to run on\n"],
  ])("%j is an error of one line", async (args, code, message) => {
    expect(await run(...args)).toEqual([code, "", `flux-subprocess ${message}`]);
  });

  test("ps --watch shows several ranks, and reports those that failed", async () => {
    const watching = startCli(["ps", "-w", "-r", "node[1-2]"], { env });
    await watching.shows("RANK HOST               PID ST LABEL        COMMAND\n");
    await nap("watched", "node2");
    await watching.shows("   2 node2        ");
    watching.child.kill("SIGINT");
    expect(await watching.result).toMatchObject({ code: 0, stderr: "" });
    await run("kill", "-r", "2", "KILL", "watched");
  });
});
