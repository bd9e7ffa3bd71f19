import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RankEvent, type RankState, RankStates } from "../../proxy/call/rank-states.js";
import { RankList } from "../../proxy/call/ranks.js";

/** A rank as four facts, which the states stand for. */
interface Facts {
  decided: boolean;
  sent: boolean;
  ended: boolean;
  givenUp: boolean;
}

const EVENTS: readonly RankEvent[] = ["decide", "giveUp", "sent", "ended"];

/** The event in the facts; undefined where it is impossible. */
function happen(facts: Facts, event: RankEvent): Facts | undefined {
  if (event === "decide") return facts.decided ? undefined : { ...facts, decided: true };
  if (event === "giveUp") return facts.decided ? undefined : { ...facts, decided: true, givenUp: true };
  if (!facts.decided) return undefined;
  if (event === "sent") return facts.sent ? undefined : { ...facts, sent: true };
  return facts.ended ? undefined : { ...facts, ended: true, givenUp: false };
}

function stateOf({ decided, sent, ended, givenUp }: Facts): RankState {
  if (!decided) return "live";
  if (ended) return sent ? "over" : "draining";
  if (givenUp) return sent ? "late" : "flushingLate";
  return sent ? "ignored" : "flushing";
}

const ascending = fc.uniqueArray(fc.nat(20), { minLength: 1 }).map((ids) => ids.sort((a, b) => a - b));
const steps = fc.array(fc.tuple(fc.nat(25), fc.constantFrom(...EVENTS)), { maxLength: 120 });

describe("RankStates", () => {
  it("stands for what was decided, sent and ended of each rank, in any order of events", () => {
    fc.assert(
      fc.property(ascending, steps, (ranks, events) => {
        const states = new RankStates(new RankList(ranks, 1));
        const model = new Map<number, Facts>(
          ranks.map((rank) => [rank, { decided: false, sent: false, ended: false, givenUp: false }]),
        );
        const views = [
          [states.view("live"), ({ decided }: Facts) => !decided],
          [states.view("live", "flushing", "ignored", "flushingLate", "late"), ({ ended }: Facts) => !ended],
          [states.view("live", "flushing", "flushingLate", "draining"), ({ sent }: Facts) => !sent],
        ] as const;
        for (const [rank, event] of events) {
          const before = model.get(rank);
          const after = before && happen(before, event);
          expect(states.move(rank, event)).toBe(after && stateOf(after));
          if (after !== undefined) model.set(rank, after);
          expect(states.get(rank)).toBe(before && stateOf(after ?? before));
          for (const [view, isIn] of views) {
            const expected = ranks.filter((each) => isIn(model.get(each) as Facts));
            expect([...view]).toEqual(expected);
            expect([view.size, view.has(rank)]).toEqual([expected.length, expected.includes(rank)]);
          }
        }
      }),
    );
  });

  it("takes a byte for each of 65,536 ranks, and none before the first event", () => {
    const ranks = new RankList(
      Array.from({ length: 65_536 }, (_, rank) => rank),
      1,
    );
    const { arrayBuffers } = process.memoryUsage();
    const states = new RankStates(ranks);
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(1024);
    for (const rank of ranks.ranks) states.move(rank, "decide");
    const grown = process.memoryUsage().arrayBuffers - arrayBuffers;
    expect(grown).toBeGreaterThanOrEqual(65_536);
    expect(grown).toBeLessThan(2 * 65_536);
    expect([states.view("live").size, states.view("flushing").size]).toEqual([0, 65_536]);
  });
});
