/**
 * Attacks that have the proxy hold much or work long for little. The proxy is in a process of its own, and another client
 * uses it meanwhile. `npm run bench -- fanout` prints the figures; the bounds here are wide, as the machine may be slow.
 */
import { expect, test } from "vitest";
import { ATTACKS } from "../support/attack.js";
import { underAttack } from "../support/under-attack.js";

/** Each of these took a gigabyte or more, or all descriptors, or ended the proxy. */
const GROWTH = 192 * 2 ** 20;

test.each(ATTACKS)(
  "%s: the proxy stays small and serves another client",
  { timeout: 120_000 },
  async (attack) => {
    const { dead, growth, served, damage } = await underAttack({ attack, ms: 3000 });
    expect(dead).toBe(false);
    expect(growth).toBeLessThan(GROWTH);
    expect(served).toBeGreaterThan(0);
    // The session of who asks for too much is not ended for it.
    const closed = attack === "pings" ? "4429 too many pings before welcome" : undefined;
    expect(damage.closed).toBe(closed);
  },
);

test("a broker of very many ranks: the proxy bounds requests to all, and serves them in turns", {
  timeout: 120_000,
}, async () => {
  const { dead, served, damage } = await underAttack({ attack: "lists", claimed: 65_535, ms: 3000 });
  expect(dead).toBe(false);
  expect(served).toBeGreaterThan(0);
  // ENOBUFS at each rank of the requests that were too many, and nothing else.
  expect(Object.keys(damage.errors)).toEqual(["105"]);
  expect((damage.errors["105"] as number) % 65_535).toBe(0);
});
