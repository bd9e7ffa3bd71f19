/** Runs, input, signals and pauses: the dashboard in a real browser, and its effect on real processes. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Observed } from "../support/observed.js";
import { until } from "../support/process.js";
import { lines, type Opened, run, startWorld, terminal, type World } from "./dashboard.js";

let world: World;
let opened: Opened;
let page: Opened["page"];

beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(() => world?.close());

beforeEach(async () => {
  opened = await world.open();
  page = opened.page;
});
afterEach(async () => {
  expect(await opened.complaints()).toEqual([]);
  // The processes of a page end when the user leaves it.
  await page.context().close();
});

const chip = (rank: number) => page.getByRole("radio", { name: new RegExp(`^${rank} `) });
const row = (text: string) => page.locator("#processes tbody tr:not([hidden])", { hasText: text });

/** The pid in a chip's title. */
async function pidOn(rank: number): Promise<number> {
  await page.locator(`.chip.rank-${rank}[data-phase="running"]`).waitFor();
  return Number(
    /pid (\d+)/.exec((await page.locator(`.chip.rank-${rank}`).getAttribute("title")) ?? "")?.[1],
  );
}

test("a command on several ranks: the table lists its processes, and its output is merged or of one rank", async () => {
  await run(page, 'basename "$FLUX_URI"; echo oops >&2; read -r code; exit "$code"', "0-1,3");
  await expect.poll(() => page.locator("#processes tbody tr:not([hidden])").count()).toBe(3);
  expect(await page.locator("#processes tbody tr:not([hidden]) .rank-mark").allTextContents()).toEqual([
    "0",
    "1",
    "3",
  ]);

  const merged = ["0 │ local-0", "0 │ oops", "1 │ local-1", "1 │ oops", "3 │ local-3", "3 │ oops"];
  await expect.poll(async () => (await lines(page)).sort()).toEqual(merged);
  await chip(3).click();
  await expect.poll(() => lines(page)).toEqual(["local-3", "oops"]);

  await page.getByLabel("Input", { exact: true }).fill("3");
  await page.keyboard.press("Enter");
  await page.locator('.dot[data-phase="failed"]').waitFor();
  const chips = async () =>
    (await page.locator(".chip").allTextContents()).map((text) => text.trim().replace(/\s+/, " "));
  await expect.poll(chips).toEqual(["all", "0 3", "1 3", "3 3"]);
  await expect.poll(() => lines(page)).toEqual(["local-3", "oops", "› 3", "rank 3 exited with 3"]);
  await page.getByText("No processes. Run one").waitFor();
});

test("input is sent line by line, and can be ended", async () => {
  await run(page, "cat -n", "2");
  const input = page.locator(".stdin:not([disabled])");
  await input.fill("grüße");
  await input.press("Enter");
  await expect.poll(() => lines(page)).toEqual(["› grüße", "     1  grüße"]);
  await input.press("Control+d");
  await terminal(page).getByText("rank 2 exited with 0").waitFor();
  await page.locator('.dot[data-phase="done"]').waitFor();
});

test("a signal, by the table's menu and by Ctrl-C", async () => {
  await run(page, "trap 'echo had USR1' USR1; while :; do sleep 0.05; done", "1");
  await pidOn(1);
  await row("trap").click();
  await page.keyboard.press("x");
  await page.getByRole("dialog", { name: "Send a signal" }).waitFor();
  await page.keyboard.press("1");
  await expect.poll(() => lines(page)).toContain("had USR1");
  await page.getByText(/SIGUSR1 sent to \d+ on rank 1/).waitFor();

  await page.keyboard.press("i");
  await page.keyboard.press("Control+c");
  await terminal(page).getByText("rank 1 was ended by SIGINT").waitFor();
  expect(await chip(1).textContent()).toMatch(/INT/);
});

test("pause stops the process on the cluster, and after resume no output is missing", async () => {
  await run(page, "exec yes", "3");
  const process = new Observed(await pidOn(3));
  await page.keyboard.press("Escape");
  await page.keyboard.press("p");
  await page.getByText("If the buffers fill, the process is stopped").waitFor();
  await until(() => process.state === "T", "yes is stopped");

  const taken = await page.locator(".size").textContent();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => page.locator(".size").textContent()).not.toBe(taken);
  await page.keyboard.press("s");
  await page.keyboard.press("k");
  await page.locator('.dot[data-phase="failed"]').waitFor();
  expect(await chip(3).textContent()).toMatch(/KILL/);
});

test("output of a process that ended during a pause is shown after resume", async () => {
  await run(page, "read -r line; echo after", "1");
  await pidOn(1);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator(".stdin").fill("now");
  await page.keyboard.press("Enter");
  await page.getByText("The run has ended, and the rest of its output waits.").waitFor();
  expect(await lines(page)).toEqual(["› now"]);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => lines(page)).toEqual(["› now", "after", "rank 1 exited with 0"]);
});

test("a process in background: attach, detach, wait", async () => {
  await page.getByText("Options").click();
  await page.getByLabel("in background", { exact: true }).check();
  await page.getByLabel("waitable").check();
  await page.getByLabel("Label", { exact: true }).fill("clock");
  await run(page, "trap 'echo bye; exit 5' TERM; while :; do echo tick; sleep 0.05; done", "2");
  await page.getByText(/started in background: 2: pid \d+/).waitFor();

  await row("clock").click();
  await page.keyboard.press("Enter");
  await expect.poll(() => lines(page)).toContain("tick");
  expect((await lines(page))[0]).toMatch(/^rank 2 attached to \d+: sh -c trap/);
  await page.getByRole("button", { name: "Detach" }).click();
  await terminal(page).getByText("detached; it still runs").waitFor();

  await row("clock").click();
  await page.getByRole("button", { name: "Wait" }).click();
  await page.getByRole("button", { name: /^Signal x/ }).click();
  await page.getByRole("button", { name: /SIGTERM/ }).click();
  await terminal(page).getByText("rank 2 exited with 5").waitFor();
  // Only the output that the broker has retained, which wait returns at the process's end.
  const kept = await lines(page);
  expect(kept).toEqual(expect.arrayContaining(["tick", "bye"]));
  expect(kept.at(-1)).toBe("rank 2 exited with 5");
});

test("an environment replaces the broker's, and without the option no shell runs", async () => {
  await page.getByText("Options").click();
  await page.getByLabel("in a shell").uncheck();
  await page.getByLabel("Environment").fill("GREETING=hello world\nHOME=/nowhere");
  await run(page, "/usr/bin/env", "0");
  await page.locator('.dot[data-phase="done"]').waitFor();
  const shown = await lines(page);
  expect(shown).toEqual(expect.arrayContaining(["GREETING=hello world", "HOME=/nowhere"]));
  expect(shown.filter((line) => line.startsWith("PATH="))).toEqual([]);
});

test("a command that cannot run shows the reason", async () => {
  await run(page, "true", "9");
  await page.getByText("there is no rank 9: the last one is 3").waitFor();
  await page.getByText("Options").click();
  await page.getByLabel("in a shell").uncheck();
  await run(page, "/no/such/program", "0-1");
  await expect
    .poll(async () => (await lines(page)).sort())
    .toEqual([
      expect.stringMatching(/^\/no\/such\/program|No such file/),
      expect.anything(),
      expect.anything(),
    ]);
});

test("closing a run ends its processes", async () => {
  await run(page, "exec sleep 600", "0");
  const pid = await pidOn(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("q");
  await page.getByText("The output of your commands appears here.").waitFor();
  await until(() => {
    try {
      return new Observed(pid).state === "Z";
    } catch {
      return true;
    }
  }, "sleep is gone");
});
