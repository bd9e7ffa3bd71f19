/** An open dashboard whose proxy is killed and started again, five times: it goes on by itself. */
import { afterEach, expect, test } from "vitest";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { connect, rexecBg } from "../../src/index.js";
import { launchBrowser } from "../support/browser.js";
import { startVictim, type Victim } from "../support/victim.js";

const RESTARTS = 5;
/** The limit for the page to go on after a restart, in milliseconds: the client waits longer each time. */
const PATIENCE = { timeout: 60_000 };
const CLAIMS = { issuer: "https://issuer.test", audience: "flux-subprocess" };

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test(`the table goes on through ${RESTARTS} restarts of a killed proxy, without an action by hand`, {
  timeout: 300_000,
}, async () => {
  const broker = await startEmbeddedBroker({ size: 2 });
  cleanups.push(() => broker.close());
  const { privateJwk, jwks } = await generateKeys();
  const token = await signToken(privateJwk, { ...CLAIMS, subject: "tester", ttlSeconds: 3600 });
  const start = async (port = 0): Promise<Victim> => {
    const victim = await startVictim(`
      import { createProxy } from "flux-subprocess/proxy";
      const options = ${JSON.stringify({ uri: broker.uri, jwks, ...CLAIMS, dashboard: true, port })};
      console.log((await createProxy(options)).url);
    `);
    cleanups.push(victim.kill);
    return victim;
  };

  let proxy = await start();
  const url = proxy.line;
  const flux = connect(url, { token });
  cleanups.push(() => flux.close());
  const browser = await launchBrowser();
  cleanups.push(() => browser.close());
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  await page.goto(`${url.replace("ws:", "http:")}#token=${token}`);
  await page.locator('.status[data-state="open"]').waitFor();
  // Each state that the page shows, from now on.
  await page.evaluate(() => {
    const states: string[] = [];
    Object.assign(globalThis, { states });
    new MutationObserver(() => {
      const state = document.querySelector<HTMLElement>(".status")?.dataset["state"] ?? "";
      if (state !== (states.at(-1) ?? "open")) states.push(state);
    }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-state"] });
  });
  const labels = () => page.locator("#processes tbody tr:not([hidden]) td:nth-child(4)").allTextContents();

  const expected = ["before"];
  await rexecBg(flux, ["sleep", "600"], { label: "before", nodeid: 1 });
  await expect.poll(labels).toEqual(expected);
  for (let n = 1; n <= RESTARTS; n++) {
    await proxy.kill();
    await page.locator('.status[data-state="resuming"]').waitFor();
    proxy = await start(Number(new URL(url).port));
    await page.locator('.status[data-state="open"]').waitFor(PATIENCE);
    // A new process proves that the table is a new one, and not what was left on the page.
    await rexecBg(flux, ["sleep", "600"], { label: `after-${n}`, nodeid: 0 });
    expected.unshift(`after-${n}`);
    await expect.poll(async () => (await labels()).sort(), PATIENCE).toEqual([...expected].sort());
  }

  const states = await page.evaluate(() => (globalThis as unknown as { states: string[] }).states);
  console.log(`the dashboard through ${RESTARTS} restarts: ${states.join(" ")}`);
  expect(states).toEqual(Array(RESTARTS).fill(["resuming", "connecting", "open"]).flat());
  expect(complaints).toEqual([]);
});
