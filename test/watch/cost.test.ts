/** 1,000 watchers cost a broker the same as one. */
import { expect, it } from "vitest";
import { cost } from "./cost.js";

const RANKS = 20;
const INTERVAL = 500;
const MS = 3000;

it("1,000 watchers of many ranks cost the broker the same as one", async () => {
  const each = { ranks: RANKS, interval: INTERVAL, ms: MS };
  const one = await cost({ ...each, watchers: 1, sessions: 1 });
  const many = await cost({ ...each, watchers: 1000, sessions: 25 });

  for (const { requests, others, byRank, lasted } of [one, many]) {
    // A machine that is slow asks later, and never more often.
    const most = Math.floor(lasted / INTERVAL) + 1;
    expect(requests).toBeLessThanOrEqual(RANKS * most);
    expect(Math.min(...byRank)).toBeGreaterThan(0);
    expect(Math.max(...byRank)).toBeLessThanOrEqual(most);
    expect(others).toBe(0);
  }
  expect([one.connections, many.connections]).toEqual([1 + 1 + 1, 1 + 25 + 1]);
  expect([one.after, many.after]).toEqual([0, 0]);
}, 90_000);
