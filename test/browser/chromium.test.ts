/** The client in a real browser: bundled as an application would, on a page, through the proxy to real processes. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Flux } from "../../src/index.js";
import { launchBrowser } from "../support/browser.js";
import { type Stack, startStack } from "../support/stack.js";

const HTML = `<!doctype html><title>test</title>
<script type="module">import * as client from "/client.js"; Object.assign(globalThis, { client });</script>`;

/** The globals of the page. */
interface Page$ {
  client: typeof import("../../src/index.js") & { rx: typeof import("rxjs") };
  flux: Flux;
}

describe("headless Chromium", () => {
  let stack: Stack;
  let browser: Browser;
  let server: Server;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    stack = await startStack();
    const { outputFiles, metafile } = await build({
      stdin: {
        contents: 'export * from "./src/index.ts"; export * as rx from "rxjs";',
        resolveDir: process.cwd(),
      },
      bundle: true,
      format: "esm",
      platform: "browser",
      write: false,
      metafile: true,
    });
    const bundle = outputFiles[0]?.text ?? "";
    expect(Object.keys(metafile.inputs).filter((input) => input.includes("node_modules/ws/"))).toEqual([]);
    server = createServer((request, response) => {
      const script = request.url === "/client.js";
      response.setHeader("content-type", script ? "text/javascript" : "text/html");
      response.end(script ? bundle : HTML);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    browser = await launchBrowser();
    page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => "client" in globalThis);
    await page.evaluate(
      ([url, token]) => {
        const { client } = globalThis as unknown as Page$;
        Object.assign(globalThis, { flux: client.connect(url, { token }) });
      },
      [stack.url, stack.token] as const,
    );
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
    await stack?.close();
    expect(errors).toEqual([]);
  });

  it("runs a process on every rank", async () => {
    const lines = await page.evaluate(() => {
      const { client, flux } = globalThis as unknown as Page$;
      const { exec, stdout, lines, rx } = client;
      const options = { nodeid: "all" };
      return rx.firstValueFrom(
        exec(flux, ["printenv", "FLUX_URI"], options).pipe(stdout(), lines(), rx.toArray()),
      );
    });
    expect(lines.map((line) => line.slice(-1)).sort()).toEqual(["0", "1", "2", "3"]);
  });

  it("carries bytes there and back, unchanged", async () => {
    const equal = await page.evaluate(async () => {
      const { client, flux } = globalThis as unknown as Page$;
      const sent = new Uint8Array(4 * 1024 * 1024);
      for (let at = 0; at < sent.length; at += 65536) crypto.getRandomValues(sent.subarray(at, at + 65536));
      const run = client.exec(flux, ["cat"], { stdin: new Blob([sent]).stream() });
      const { stdout } = await client.rx.firstValueFrom(run.pipe(client.collect()));
      return stdout.length === sent.length && stdout.every((byte, i) => byte === sent[i]);
    });
    expect(equal).toBe(true);
  });

  it("starts, lists, signals and waits", async () => {
    const result = await page.evaluate(async () => {
      const { client, flux } = globalThis as unknown as Page$;
      const label = "from-the-page";
      const pid = await client.rexecBg(flux, ["sleep", "60"], { label, waitable: true, nodeid: 1 }).getPid();
      const listed = (await client.list(flux, { nodeid: 1 }).getProcesses()).map((process) => process.label);
      await client.kill(flux, { pid, nodeid: 1 }).get();
      return { listed, status: await client.wait(flux, { label, nodeid: 1 }).getStatus() };
    });
    expect(result).toEqual({ listed: ["from-the-page"], status: 15 });
  });

  it("gives typed errors", async () => {
    const error = await page.evaluate(async () => {
      const { client, flux } = globalThis as unknown as Page$;
      return client.rx.lastValueFrom(client.exec(flux, ["/no/such/program"])).catch((reason) => ({
        typed: reason instanceof client.FluxError,
        code: reason.code,
        rank: reason.rank,
      }));
    });
    expect(error).toEqual({ typed: true, code: "ENOENT", rank: 0 });
  });

  it("ends its processes when the page is left", async () => {
    const pid = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const { client, flux } = globalThis as unknown as Page$;
          client
            .exec(flux, ["sleep", "60"])
            .subscribe((event) => event.type === "started" && resolve(event.pid));
        }),
    );
    await page.goto("about:blank");
    const { untilGone } = await import("../support/process.js");
    await untilGone(stack.connect(), pid);
  });
});
