/** Browsers run the suite on a page, which reports the results to its server. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { launchBrowser } from "../support/browser.js";
import type { Runtime } from "./runtime.js";
import type { World } from "./suite/context.js";
import type { Result } from "./suite/suite.js";

const HTML = '<!doctype html><title>suite</title><script type="module" src="/page.bundle.mjs"></script>';
const REPORT_MS = 120_000;

/** Serves the page until it has reported. @param open opens a URL in a browser, and returns a function that closes the browser */
async function onPage(
  dir: string,
  world: World,
  open: (url: string) => Promise<() => Promise<void>>,
): Promise<Result[]> {
  const script = await readFile(join(dir, "page.bundle.mjs"));
  let report!: (text: string) => void;
  let failed!: (error: Error) => void;
  const reported = new Promise<string>((resolve, reject) => {
    report = resolve;
    failed = reject;
  });
  const server = createServer((request, response) => {
    const [type, body] =
      request.url === "/page.bundle.mjs"
        ? ["text/javascript", script]
        : request.url === "/world"
          ? ["application/json", JSON.stringify(world)]
          : ["text/html", HTML];
    if (request.url === "/report") text(request).then(report, failed);
    response.setHeader("content-type", type);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const timeout = setTimeout(() => failed(new Error("the page has not reported")), REPORT_MS);
  const close = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  try {
    const results: Result[] | string = JSON.parse(await reported);
    if (typeof results === "string") throw new Error(results);
    return results;
  } finally {
    clearTimeout(timeout);
    await close();
    server.closeAllConnections();
    server.close();
  }
}

/** From npm: test/support/browser.ts. */
export const chromium: Runtime = {
  name: "Chromium",
  async version() {
    const browser = await launchBrowser();
    const version = browser.version();
    await browser.close();
    return version;
  },
  run: (dir, world) =>
    onPage(dir, world, async (url) => {
      const browser = await launchBrowser();
      await (await browser.newPage()).goto(url);
      return () => browser.close();
    }),
};

/** An installed Firefox: the one of the variable FIREFOX, otherwise the one on PATH. */
export function findFirefox(): string | undefined {
  const { FIREFOX, PATH = "" } = process.env;
  const candidates = PATH.split(delimiter).flatMap((dir) =>
    ["firefox", "firefox-esr"].map((name) => join(dir, name)),
  );
  return FIREFOX ?? candidates.find((path) => existsSync(path));
}

export function firefox(path: string | undefined): Runtime {
  return {
    name: "Firefox",
    missing: path === undefined ? "none is installed" : undefined,
    async version() {
      const { stdout } = await promisify(execFile)(path as string, ["--version"]);
      return /[\d.]+\w*/.exec(stdout)?.[0] ?? "";
    },
    run: (dir, world) =>
      onPage(dir, world, async (url) => {
        const profile = await mkdtemp(join(dir, "firefox-"));
        const args = ["--headless", "--no-remote", "--profile", profile, url];
        const browser: ChildProcess = spawn(path as string, args, { stdio: "ignore" });
        return async () => {
          const gone = once(browser, "exit");
          browser.kill();
          await gone;
          await rm(profile, { recursive: true, force: true });
        };
      }),
  };
}
