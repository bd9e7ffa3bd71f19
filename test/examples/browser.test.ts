import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { list } from "../../src/index.js";
import { launchBrowser } from "../support/browser.js";
import { type Stack, startStack } from "../support/stack.js";

const command = fileURLToPath(new URL("../../examples/serve.mjs", import.meta.url));
let stack: Stack;
let server: ChildProcess;
let browser: Browser;
let page: Page;
let address: string;
/** The pages' errors and console messages, such as CSP violations. */
const complaints: string[] = [];

beforeAll(async () => {
  stack = await startStack({ size: 2 });
  server = spawn(process.execPath, [command], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  [address] = (await once(createInterface(server.stdout as NonNullable<typeof server.stdout>), "line")) as [
    string,
  ];
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  server?.kill();
  await stack?.close();
});

async function runScript(script: string, token = stack.token): Promise<void> {
  page = await browser.newPage();
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", ({ message }) => complaints.push(message));
  await page.goto(`${address}#${new URLSearchParams({ url: stack.url, token, script })}`);
  await page.getByRole("button", { name: "Run" }).click();
}

const output = () => page.locator("#output > div").allTextContents();

test("examples/browser.html has the hashes of its style and its import map", async () => {
  const html = await readFile(new URL("../../examples/browser.html", import.meta.url), "utf8");
  const inline = html.matchAll(/<(style|script type="importmap")>(.*?)<\/(?:style|script)>/gs);
  const hashes = Array.from(inline, ([, , text]) =>
    createHash("sha256")
      .update(text as string)
      .digest("base64"),
  );
  expect(hashes).toHaveLength(2);
  for (const hash of hashes) expect(html).toContain(`'sha256-${hash}'`);
});

test("examples/browser.html shows lines at once, and each rank's outcome", async () => {
  await runScript("echo first; sleep 0.2; echo second >&2; exit 3");
  await page.getByText("rank 1: process exited with 3").waitFor();
  await page.getByText("rank 0: process exited with 3").waitFor();
  await page.getByText("0: second").waitFor();
  await page.getByText("1: second").waitFor();
  expect(await output()).toEqual(expect.arrayContaining(["0: first", "1: first"]));
  expect(page.url()).toBe(address);
  expect(complaints).toEqual([]);
});

test("examples/browser.html stops the processes", async () => {
  const flux = stack.connect();
  await runScript("echo started; exec sleep 600");
  await page.getByText("1: started").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();

  await expect.poll(() => list(flux, { nodeid: 1 }).getProcesses(), { timeout: 10_000 }).toEqual([]);
});

test("examples/browser.html shows an error", async () => {
  await runScript("true", "not-a-token");
  await page.getByText("token is not a signed JWT").waitFor();
});

test("examples/browser.html runs no script but its own", async () => {
  await runScript("true");
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'not its own'";
    document.body.append(script);
  });
  expect(await page.title()).toBe("flux-subprocess");
  expect(complaints.at(-1)).toMatch(/Content Security Policy/);
});
