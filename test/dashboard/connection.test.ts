/** The dashboard's token and connection: lost, resumed, refused. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { lines, type Opened, run, startWorld, terminal, type World } from "./dashboard.js";

let world: World;
let opened: Opened;

beforeAll(async () => {
  world = await startWorld(2);
}, 120_000);
afterAll(() => world?.close());
afterEach(async () => {
  world.injector.refusing = false;
  expect(await opened.complaints()).toEqual([]);
  await opened.page.context().close();
});

const status = (state: string) => opened.page.locator(`.status[data-state="${state}"]`);

test("after a cut the dashboard shows the state, resumes, and the output continues without a gap", async () => {
  opened = await world.open();
  const { page } = opened;
  await run(page, 'for i in 1 2 3 4 5 6; do echo "line $i"; done; cat', "1");
  await expect.poll(() => lines(page)).toHaveLength(6);

  world.injector.refusing = true;
  world.injector.resetAll();
  await status("resuming")
    .getByText(/attempt \d+/)
    .waitFor();
  // Input during the cut waits.
  await page.locator(".stdin").fill("typed without a connection");
  await page.keyboard.press("Enter");
  await expect.poll(() => lines(page)).toHaveLength(7);
  await expect.poll(() => status("resuming").textContent()).toMatch(/attempt [2-9]/);
  expect(await lines(page)).toHaveLength(7);

  world.injector.refusing = false;
  // The next attempt may come by itself before the click.
  const tryNow = status("resuming").getByRole("button", { name: "Try now" });
  await Promise.race([tryNow.click(), status("open").waitFor()]);
  await status("open")
    .getByText(/resumed after \d+\.\d s/)
    .waitFor();
  await expect
    .poll(() => lines(page))
    .toEqual([
      ...[1, 2, 3, 4, 5, 6].map((i) => `line ${i}`),
      "› typed without a connection",
      "typed without a connection",
    ]);
  await page.locator(".stdin").press("Control+d");
  await terminal(page).getByText("rank 1 exited with 0").waitFor();
  await page.locator("rect.outage").first().waitFor({ state: "attached" });
});

test("the token is in memory only, and a reload asks for it", async () => {
  opened = await world.open();
  const { page } = opened;
  await run(page, "echo here", "0");
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await terminal(page).getByText("here").waitFor();

  const places = await page.evaluate(() =>
    JSON.stringify([
      location.href,
      document.title,
      document.documentElement.outerHTML,
      { ...localStorage },
      { ...sessionStorage },
      history.state,
      document.cookie,
      performance.getEntriesByType("resource").map(({ name }) => name),
    ]),
  );
  expect(places).toContain("echo here");
  expect(places).not.toContain(world.token);
  expect(places).not.toContain(world.token.slice(-20));
  expect(page.url()).toBe(world.address);

  await page.reload();
  const field = page.getByLabel("Token");
  await field.waitFor();
  expect(await field.getAttribute("type")).toBe("password");
  await field.fill(world.token);
  await page.getByRole("button", { name: "Connect" }).click();
  await status("open").waitFor();
  expect(await field.count()).toBe(0);
  const browser = await page.context().newCDPSession(page);
  const { entries } = await browser.send("Page.getNavigationHistory");
  expect(entries.map(({ url }) => url)).toEqual(["about:blank", world.address]);
});

test("a refused token shows the reason, and the form takes another", async () => {
  opened = await world.open();
  const { page } = opened;
  await page.reload();
  await page.getByLabel("Token").fill("nonsense");
  await page.keyboard.press("Enter");
  await status("closed").getByText("token is not a signed JWT").waitFor();
  await page.getByText("No session: the processes are unknown.").waitFor();
  await page.getByRole("button", { name: "Another token" }).click();
  await page.getByLabel("Token").fill(world.token);
  await page.keyboard.press("Enter");
  await status("open").waitFor();
});

test("a new token does not interrupt the session, and a refused one changes nothing", async () => {
  opened = await world.open();
  const { page } = opened;
  await run(page, "cat", "1");
  await page.locator(".stdin:not([disabled])").waitFor();
  await page.evaluate(() => {
    location.hash = "#token=nonsense";
  });
  await page.getByText("new token: token is not a signed JWT").waitFor();
  expect(page.url()).toBe(world.address);

  const accepted = world.injector.accepted;
  await page.getByRole("button", { name: /token until/ }).click();
  await page.getByLabel("New token").fill(await world.sign());
  await page.keyboard.press("Enter");
  await page.getByText("The session has the new token.").waitFor();
  expect(world.injector.accepted).toBe(accepted + 1);

  await page.locator(".stdin").fill("still here");
  await page.keyboard.press("Enter");
  await expect.poll(() => lines(page)).toEqual(["› still here", "still here"]);
});

test("a token without list shows errors instead of an empty table, and the next token shows the processes", async () => {
  opened = await world.open();
  const { page } = opened;
  await page.reload();
  await page.getByLabel("Token").fill(await world.sign("exec"));
  await page.keyboard.press("Enter");
  await run(page, "cat", "1");
  await page.getByText("rank 1: token does not allow list: scope").waitFor();
  await page.getByText("No process to show: some ranks gave no list.").waitFor();

  await page.getByRole("button", { name: /token until/ }).click();
  await page.getByLabel("New token").fill(world.token);
  await page.keyboard.press("Enter");
  await page.locator("#processes tbody tr", { hasText: "cat" }).waitFor();
  expect(await page.getByText("does not allow").count()).toBe(0);
});
