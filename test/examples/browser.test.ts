import { fileURLToPath } from "node:url";
import { type BuildContext, context } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { list } from "../../src/index.js";
import { launchBrowser } from "../support/browser.js";
import { type Stack, startStack } from "../support/stack.js";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
let stack: Stack;
let bundler: BuildContext;
let browser: Browser;
let page: Page;
let address: string;

beforeAll(async () => {
  stack = await startStack({ size: 2 });
  // As the command in browser.mjs does.
  bundler = await context({
    entryPoints: [`${examples}/browser.mjs`],
    bundle: true,
    format: "esm",
    outdir: examples,
    write: false,
    logLevel: "error",
  });
  const { port } = await bundler.serve({ servedir: examples, host: "127.0.0.1", port: 0 });
  address = `http://127.0.0.1:${port}/browser.html`;
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await bundler?.dispose();
  await stack?.close();
});

async function runScript(script: string, token = stack.token): Promise<void> {
  page = await browser.newPage();
  await page.goto(`${address}#${new URLSearchParams({ url: stack.url, token, script })}`);
  await page.getByRole("button", { name: "Run" }).click();
}

const output = () => page.locator("#output > div").allTextContents();

test("examples/browser.html shows lines as they come, and how each rank ended", async () => {
  await runScript("echo first; sleep 0.2; echo second >&2; exit 3");
  await page.getByText("rank 1: process exited with 3").waitFor();
  await page.getByText("rank 0: process exited with 3").waitFor();
  await page.getByText("0: second").waitFor();
  await page.getByText("1: second").waitFor();
  expect(await output()).toEqual(expect.arrayContaining(["0: first", "1: first"]));
  expect(page.url()).toBe(address);
});

test("examples/browser.html stops what runs", async () => {
  const flux = stack.connect();
  await runScript("echo started; exec sleep 600");
  await page.getByText("1: started").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();

  await expect.poll(() => list(flux, { nodeid: 1 }).getProcesses(), { timeout: 10_000 }).toEqual([]);
});

test("examples/browser.html says what went wrong", async () => {
  await runScript("true", "not-a-token");
  await page.getByText("token is not a signed JWT").waitFor();
});
