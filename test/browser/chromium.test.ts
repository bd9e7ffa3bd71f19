/** The client in a real browser: bundled as in an application, on a page, through the proxy to real processes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClientPage, openClientPage, type PageGlobals } from "../support/page.js";
import { untilGone } from "../support/process.js";
import { type Stack, startStack } from "../support/stack.js";

describe("headless Chromium", () => {
  let stack: Stack;
  let opened: ClientPage;
  let page: ClientPage["page"];

  beforeAll(async () => {
    stack = await startStack();
    opened = await openClientPage();
    page = opened.page;
    await page.evaluate(
      ([url, token]) => {
        const { client } = globalThis as unknown as PageGlobals;
        Object.assign(globalThis, { flux: client.connect(url, { token }) });
      },
      [stack.url, stack.token] as const,
    );
  }, 120_000);

  afterAll(async () => {
    await opened?.close();
    await stack?.close();
    expect(opened?.errors).toEqual([]);
  });

  it("has no module of Node in its bundle", () => {
    expect(opened.modules.filter((module) => /node_modules\/ws\/|^node:/.test(module))).toEqual([]);
  });

  it("runs a process on every rank", async () => {
    const all = await page.evaluate(() => {
      const { client, flux } = globalThis as unknown as PageGlobals;
      const { exec, lines, rx } = client;
      const options = { nodeid: "all" };
      return rx.firstValueFrom(exec(flux, ["printenv", "FLUX_URI"], options).pipe(lines(), rx.toArray()));
    });
    expect(all.map(({ rank, line }) => [rank, Number(line.slice(-1))]).sort()).toEqual(
      [0, 1, 2, 3].map((rank) => [rank, rank]),
    );
  });

  it("carries bytes both ways unchanged", async () => {
    const equal = await page.evaluate(async () => {
      const { client, flux } = globalThis as unknown as PageGlobals;
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
      const { client, flux } = globalThis as unknown as PageGlobals;
      const label = "from-the-page";
      const pid = await client.rexecBg(flux, ["sleep", "60"], { label, waitable: true, nodeid: 1 }).getPid();
      const listed = (await client.list(flux, { nodeid: 1 }).getProcesses()).map((process) => process.label);
      await client.kill(flux, { pid, nodeid: 1 }).get();
      return { listed, status: await client.wait(flux, { label, nodeid: 1 }).getStatus() };
    });
    expect(result).toEqual({ listed: ["from-the-page"], status: 15 });
  });

  it("rejects with typed errors", async () => {
    const error = await page.evaluate(async () => {
      const { client, flux } = globalThis as unknown as PageGlobals;
      return client.rx.lastValueFrom(client.exec(flux, ["/no/such/program"])).catch((reason) => ({
        typed: reason instanceof client.FluxError,
        code: reason.code,
        rank: reason.rank,
      }));
    });
    expect(error).toEqual({ typed: true, code: "ENOENT", rank: 0 });
  });

  it("ends its processes when the user leaves the page", async () => {
    const pid = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          const { client, flux } = globalThis as unknown as PageGlobals;
          client
            .exec(flux, ["sleep", "60"])
            .subscribe((event) => event.type === "started" && resolve(event.pid));
        }),
    );
    await page.goto("about:blank");
    await untilGone(stack.connect(), pid);
  });
});
