/** Makes docs/dashboard-light.png and docs/dashboard-dark.png: live output, after a cut and a resume. */
import type { Page } from "playwright-core";
import { run, startWorld, terminal } from "./dashboard.js";

const BACKGROUND = [
  ["metrics", "exec tail -f /dev/null", "all"],
  ["web", "while :; do echo GET /health; sleep 5; done", "1"],
  ["cache", "exec sleep 3600", "0,2"],
] as const;

const TRAINING = [
  "i=0; while i=$((i + 1))",
  String.raw`do printf 'epoch %3d  loss \033[33m0.%04d\033[0m  %d samples/s\n' $i $((9999 / i)) $((880 + i % 37))`,
  "[ $((i % 9)) != 0 ] || echo checkpoint written >&2",
  "sleep 0.4; done",
].join("; ");

async function fill(page: Page): Promise<void> {
  await page.getByText("Options").click();
  await page.getByLabel("in background", { exact: true }).check();
  for (const [label, command, ranks] of BACKGROUND) {
    await page.getByLabel("Label", { exact: true }).fill(label);
    await run(page, command, ranks);
    await page.locator("#processes tbody tr", { hasText: label }).first().waitFor();
  }
  await page.getByLabel("Label", { exact: true }).fill("");
  await page.getByLabel("in background", { exact: true }).uncheck();
  await page.getByText("Options").click();
  await run(page, "exec python3 -i -q -u", "3");
  await page.locator(".stdin:not([disabled])").waitFor();
  await run(page, TRAINING);
}

async function shoot(colorScheme: "light" | "dark"): Promise<void> {
  const { injector, open, close } = await startWorld();
  try {
    const { page } = await open({ colorScheme, viewport: { width: 1360, height: 800 } });
    await fill(page);
    await terminal(page).getByText("epoch  12").first().waitFor();
    injector.refusing = true;
    injector.resetAll();
    await page
      .locator(".status")
      .getByText(/attempt [3-9]/)
      .waitFor();
    injector.refusing = false;
    await page.locator(".status").getByText("resumed after").waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    for (let i = 0; i < 3; i++) await page.keyboard.press("j");
    await terminal(page).getByText("epoch  48").first().waitFor();
    await page.screenshot({ path: `docs/dashboard-${colorScheme}.png` });
  } finally {
    await close();
  }
}

await shoot("light");
await shoot("dark");
