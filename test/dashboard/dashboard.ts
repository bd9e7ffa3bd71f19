/** The dashboard in a real browser, on the page that the proxy serves, through the fault injector. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { generateKeys, signToken } from "../../proxy/auth/keys.js";
import { type EmbeddedBroker, startEmbeddedBroker } from "../../proxy/embedded/index.js";
import { createProxy, type RunningProxy } from "../../proxy/index.js";
import { type Injector, startInjector } from "../chaos/injector.js";
import { launchBrowser } from "../support/browser.js";

const CLAIMS = { issuer: "https://issuer.test", audience: "flux-subprocess" };

/** The limit for one wait, in milliseconds: enough for a machine with few cores. */
const PATIENCE_MS = 20_000;

export interface World {
  readonly broker: EmbeddedBroker;
  readonly proxy: RunningProxy;
  /** Stands between the browser and the proxy. */
  readonly injector: Injector;
  readonly browser: Browser;
  readonly token: string;
  /** Signs another token. @param scope @default the first token's */
  sign(scope?: string): Promise<string>;
  /** The page's URL, through the injector, without a token. */
  readonly address: string;
  open(options?: BrowserContextOptions): Promise<Opened>;
  close(): Promise<void>;
}

export interface Opened {
  readonly page: Page;
  /** CSP violations and uncaught errors. */
  complaints(): Promise<string[]>;
}

export async function startWorld(size = 4): Promise<World> {
  const broker = await startEmbeddedBroker({ size });
  const { privateJwk, jwks } = await generateKeys();
  const sign = (scope?: string) =>
    signToken(privateJwk, { ...CLAIMS, subject: "tester", ttlSeconds: 3600, scope });
  const token = await sign();
  const proxy = await createProxy({ uri: broker.uri, jwks, ...CLAIMS, dashboard: true });
  const injector = await startInjector({ target: proxy.url, seed: 1 });
  const browser = await launchBrowser();
  const address = injector.url(proxy.url.replace("ws:", "http:"));

  async function open(options: BrowserContextOptions = {}): Promise<Opened> {
    const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
    await page.exposeFunction("complain", (text: string) => complaints.push(text));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const { violatedDirective, blockedURI, sourceFile, lineNumber, sample } = event;
        const { complain } = globalThis as unknown as { complain(text: string): void };
        complain(`${violatedDirective} ${blockedURI} ${sourceFile}:${lineNumber} ${sample}`);
      });
    });
    await page.goto(`${address}#token=${token}`);
    await page.locator('.status[data-state="open"]').waitFor();
    return {
      page,
      async complaints() {
        // The page sends complaints in order, so all earlier ones arrive before this one.
        await page.evaluate(() =>
          (globalThis as unknown as { complain(text: string): unknown }).complain(""),
        );
        return complaints.filter((complaint) => complaint !== "");
      },
    };
  }
  return {
    broker,
    proxy,
    injector,
    browser,
    token,
    sign,
    address,
    open,
    async close() {
      await browser.close();
      await injector.close();
      await proxy.close();
      await broker.close();
    },
  };
}

/** Submits the form that runs a command. */
export async function run(page: Page, command: string, ranks = "all"): Promise<void> {
  await page.getByLabel("Command", { exact: true }).fill(command);
  await page.getByLabel("Ranks", { exact: true }).fill(ranks);
  await page.getByRole("button", { name: "Run", exact: true }).click();
}

/** The lines that the terminal shows. */
export const terminal = (page: Page) => page.locator(".terminal-host .xterm-rows");

/** The terminal's lines, without empty ones and without spaces at the right. */
export const lines = async (page: Page): Promise<string[]> =>
  (await terminal(page).locator("> div").allTextContents())
    .map((line) => line.replaceAll("\u00a0", " ").trimEnd())
    .filter((line) => line !== "");
