import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { Browser, Page } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Flux, list } from "../../src/index.js";
import { launchBrowser } from "../support/browser.js";
import { type Stack, startStack } from "../support/stack.js";

const configFile = fileURLToPath(new URL("../../examples/notebook/vite.config.mjs", import.meta.url));
const RANKS = [0, 1, 2, 3];
let directory: string;
let stack: Stack;
let flux: Flux;
let server: PreviewServer;
let browser: Browser;
let address: string;
let page: Page;
/** The page's errors and console messages, such as CSP violations, and its requests to other machines. */
let complaints: string[];

beforeAll(async () => {
  stack = await startStack({ size: 4 });
  flux = stack.connect();
  directory = await mkdtemp(join(tmpdir(), "flux-subprocess-notebook-"));
  // The same as the commands in index.html.
  const config = { configFile, logLevel: "error" as const, build: { outDir: directory } };
  await build(config);
  server = await preview(config);
  address = server.resolvedUrls?.local[0] as string;
  browser = await launchBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  await stack?.close();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1000, height: 800 }, deviceScaleFactor: 1.5 });
  complaints = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(address).origin) complaints.push(request.url());
  });
});

afterEach(() => page.close());

async function open({ url, token }: Stack): Promise<void> {
  await page.goto(`${address}#${new URLSearchParams({ url, token })}`);
  await page.locator("table.ranks").getByText("runs").nth(3).waitFor();
}

const choose = (count: number) => page.getByLabel("Samples").selectOption({ label: String(count) });

/** The number of points of each line of the plot. */
async function points(): Promise<number[]> {
  const paths = await page
    .locator('g[aria-label="line"] path')
    .evaluateAll((all) => all.map((path) => path.getAttribute("d") as string));
  return paths.map((path) => path.split("L").length);
}

async function table(): Promise<string[][]> {
  const rows = page.locator("table.ranks tbody tr");
  return rows.evaluateAll((all) =>
    all.map(({ children }) => [...children].map(({ textContent }) => (textContent ?? "").trim())),
  );
}

const column = async (at: number) => (await table()).map((row) => row[at]);
const pidsOfPage = async () => (await column(1)).map(Number);

/** Waits until the page shows exactly the processes of the instance. */
async function expectPids(): Promise<void> {
  const both = async () => {
    const ranks = await Promise.all(RANKS.map((nodeid) => list(flux, { nodeid }).getProcesses()));
    return { running: ranks.flat().map(({ pid }) => pid), shown: await pidsOfPage() };
  };
  await expect
    .poll(both, { timeout: 10_000 })
    .toSatisfy(({ running, shown }) => isDeepStrictEqual(running, shown));
}

test("examples/notebook plots the output of four ranks live", async () => {
  await open(stack);
  expect(page.url()).toBe(address);
  expect(await page.locator(".state b").textContent()).toBe("open");
  await choose(50);
  await expectPids();

  await expect.poll(points).toEqual(RANKS.map(() => expect.any(Number)));
  const early = await points();
  const late = () => points().then((now) => now.every((n, rank) => n > (early[rank] as number) + 5));
  await expect.poll(late, { timeout: 10_000 }).toBe(true);
  expect(await column(4)).toEqual(RANKS.map(() => "runs"));

  await expect.poll(() => column(4), { timeout: 20_000 }).toEqual(RANKS.map(() => "exited with 0"));
  expect(await points()).toEqual([50, 50, 50, 50]);
  expect(await column(2)).toEqual(["50", "50", "50", "50"]);
  // Each rank has a random walk of its own.
  expect(new Set(await column(3)).size).toBeGreaterThan(1);
  expect(complaints).toEqual([]);
});

test("examples/notebook ends its processes when the user selects another command", async () => {
  await open(stack);
  const before = await pidsOfPage();
  await page.getByLabel("its load").check();
  await expect.poll(async () => (await pidsOfPage()).filter((pid) => before.includes(pid))).toEqual([]);
  await page.locator("table.ranks").getByText("runs").nth(3).waitFor();
  await expectPids();
  expect(complaints).toEqual([]);
});

test("examples/notebook names the parameters that it needs", async () => {
  await page.goto(address);
  await page.getByText("open this page with #url=").first().waitFor();
});

test("examples/notebook shows the state of the connection", async () => {
  await open(stack);
  await stack.close();
  await expect
    .poll(() => page.locator(".state").textContent())
    .toMatch(/^connecting.*the proxy cannot be reached/);
});
