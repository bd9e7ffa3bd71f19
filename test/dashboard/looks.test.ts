/** Themes, sizes, keys and many rows. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Opened, run, startWorld, terminal, type World } from "./dashboard.js";

let world: World;
let opened: Opened;

beforeAll(async () => {
  world = await startWorld(3);
}, 120_000);
afterAll(() => world?.close());
afterEach(async () => {
  expect(await opened.complaints()).toEqual([]);
  await opened.page.context().close();
});

/** The brightness of an element's background, 0 to 255. */
const brightness = (selector: string) =>
  opened.page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const [red = 0, green = 0, blue = 0] =
        getComputedStyle(element).backgroundColor.match(/\d+/g)?.map(Number) ?? [];
      return (red + green + blue) / 3;
    });

const places = [".panel", ".terminal-host", ".xterm-scrollable-element"];

test.each([
  ["light", (value: number) => value > 200],
  ["dark", (value: number) => value < 60],
] as const)("as the system has it: %s", async (colorScheme, right) => {
  opened = await world.open({ colorScheme });
  await run(opened.page, "echo here");
  await terminal(opened.page).getByText("here").first().waitFor();
  for (const place of places) expect([place, right(await brightness(place))]).toEqual([place, true]);
});

test("a key switches the theme of page and terminal, and a reload keeps it", async () => {
  opened = await world.open({ colorScheme: "light" });
  const { page } = opened;
  await run(page, "echo here", "0,1");
  const mark = terminal(page).locator("span", { hasText: /^0/ }).first();
  await mark.waitFor();
  const before = await mark.evaluate((element) => getComputedStyle(element).color);
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await page.keyboard.press("t");
  await expect.poll(() => brightness(".xterm-scrollable-element")).toBeLessThan(60);
  await expect.poll(() => mark.evaluate((element) => getComputedStyle(element).color)).not.toBe(before);
  await page.reload();
  await page.getByLabel("Token").waitFor();
  expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
});

test.each([360, 800, 1600])("nothing is cut off at a width of %i", async (width) => {
  opened = await world.open({ viewport: { width, height: 800 } });
  const { page } = opened;
  await run(page, "echo a rather long command line to have a tab that is wider than the page; sleep 600");
  await terminal(page).getByText("a rather long").first().waitFor();
  await page.getByText("Options").click();
  await page.locator("#processes tbody tr:not([hidden])").first().click();
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(wide).toBe(0);
  const buttons = [/^Run$/, /^Pause/, /^Signal/].map((name) => page.getByRole("button", { name }).last());
  for (const control of [
    ...buttons,
    page.getByLabel("Filter by state"),
    page.getByLabel("Input", { exact: true }),
  ]) {
    const box = await control.boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= width).toBe(true);
  }
});

test("the dashboard works with the keyboard alone", async () => {
  opened = await world.open();
  const { page } = opened;
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.keyboard.type("exec sleep 600");
  await page.keyboard.press("Enter");
  await page.locator("#processes tbody tr:not([hidden])").nth(2).waitFor();
  expect(
    await page
      .getByLabel("Command", { exact: true })
      .evaluate((input) => getComputedStyle(input).outlineStyle),
  ).toBe("solid");
  await page.keyboard.press("Escape");

  const selected = () => page.locator('#processes tr[aria-selected="true"] .rank-mark').allTextContents();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect.poll(selected).toEqual(["1"]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("k");
  await expect.poll(selected).toEqual(["1"]);

  await page.keyboard.press("/");
  await page.keyboard.type("slee");
  await page.getByLabel("Filter by ranks").fill("2");
  await expect
    .poll(() => page.locator("#processes tbody tr:not([hidden]) .rank-mark").allTextContents())
    .toEqual(["2"]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.keyboard.press("ArrowUp");
  expect(await page.getByLabel("Command", { exact: true }).inputValue()).toBe("exec sleep 600");
  await page.keyboard.press("Escape");
  await page.keyboard.press("2");
  await expect.poll(() => page.getByRole("radio", { name: /^2 / }).getAttribute("aria-checked")).toBe("true");
  await page.keyboard.press("m");
  await expect.poll(() => page.getByRole("radio", { name: "all" }).getAttribute("aria-checked")).toBe("true");
});

test("an unchanged row is not touched when other rows come and go", async () => {
  opened = await world.open();
  const { page } = opened;
  await run(page, "exec sleep 600", "1");
  const first = page.locator("#processes tbody tr:not([hidden])", { hasText: "sleep" });
  await first.waitFor();
  await first.evaluate((row) => {
    const touched = { count: 0 };
    new MutationObserver((all) => {
      touched.count += all.length;
    }).observe(row, { attributes: true, characterData: true, childList: true, subtree: true });
    Object.assign(globalThis, { touched });
  });
  await run(page, "exec tail -f /dev/null", "0,2");
  await page.locator("#processes tbody tr:not([hidden])").nth(2).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("q");
  await expect.poll(() => page.locator("#processes tbody tr:not([hidden])").count()).toBe(1);
  expect(
    await page.evaluate(() => (globalThis as unknown as { touched: { count: number } }).touched.count),
  ).toBe(0);
});
