/** A page in a real browser with the client, bundled as in an application, as its global `client`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import type { Flux } from "../../src/index.js";
import { launchBrowser } from "./browser.js";

const HTML = `<!doctype html><title>test</title>
<script type="module">import * as client from "/client.js"; Object.assign(globalThis, { client });</script>`;

/** The globals of the page. */
export interface PageGlobals {
  client: typeof import("../../src/index.js") & { rx: typeof import("rxjs") };
  /** The handle, once a test has called `connect`. */
  flux: Flux;
}

export interface ClientPage {
  page: Page;
  /** The page's uncaught errors. */
  errors: string[];
  /** The modules of the bundle. */
  modules: string[];
  close(): Promise<void>;
}

export async function openClientPage(): Promise<ClientPage> {
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
  const server = createServer((request, response) => {
    const script = request.url === "/client.js";
    response.setHeader("content-type", script ? "text/javascript" : "text/html");
    response.end(script ? outputFiles[0]?.text : HTML);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launchBrowser();
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "client" in globalThis);
  return {
    page,
    errors,
    modules: Object.keys(metafile.inputs),
    async close() {
      await browser.close();
      server.close();
    },
  };
}
