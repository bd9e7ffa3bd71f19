import { access } from "node:fs/promises";
import { expect, test } from "vitest";
import { outcome, startCli } from "./run-cli.js";

test("demo --once runs every step and ends", async () => {
  const [code, stdout, stderr] = await outcome(["demo", "--once", "--ranks", "2"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("{ rank: 1, pid: ");
  expect(stdout).toContain("All of it worked.");
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
});

test("demo serves until a signal comes", async () => {
  const demo = startCli(["demo", "--ranks", "1"]);
  let shown = "";
  demo.child.stdout?.on("data", (data) => {
    shown += data;
  });
  await demo.shows("in a browser:");
  await demo.shows("#token=");
  const page = new URL(/http:\S+/.exec(shown)?.[0] ?? "");
  const answer = await fetch(page);
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("dashboard.js")]);
  demo.child.kill("SIGINT");
  const { code, stdout } = await demo.result;
  expect(code).toBe(0);
  expect(page.hash).toMatch(/^#token=eyJ[\w.-]+$/);
  const file = /\$\(cat (.*)\)/.exec(stdout.toString())?.[1] as string;
  await expect(access(file)).rejects.toThrow("ENOENT");
});

test("demo stops in the middle of a step", async () => {
  const demo = startCli(["demo"]);
  await demo.shows("'line 1'");
  demo.child.kill("SIGTERM");
  expect(await demo.result).toMatchObject({ code: 0, stderr: "" });
});
