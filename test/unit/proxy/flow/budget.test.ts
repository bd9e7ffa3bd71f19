/** Budgets of sessions, subjects and the proxy. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Budget } from "../../../../proxy/flow/budget.js";

test("takes nothing after it was closed, neither here nor above", () => {
  const all = new Budget("the proxy may have 4", 4);
  const session = new Budget("a session may have 2", 2, all);
  expect(session.take(2)).toBeUndefined();
  session.close();
  expect(session.take(1)).toBe("a session may have 2");
  session.give(1);
  const other = new Budget("a session may have 4", 4, all);
  expect(other.take(4)).toBeUndefined();
});

const step = fc.record({
  session: fc.nat(2),
  action: fc.constantFrom("take" as const, "give" as const, "close" as const),
  amount: fc.nat(3),
});

test("above, exactly the amounts of the open budgets are taken, in every order of events", () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const all = new Budget("all", 8);
      const sessions = [0, 1, 2].map(() => ({ budget: new Budget("session", 4, all), used: 0 }));
      for (const { session: index, action, amount } of steps) {
        const session = sessions[index] as (typeof sessions)[number];
        if (action === "close") {
          session.budget.close();
          session.used = 0;
        } else if (action === "take") {
          if (session.budget.take(amount) === undefined) session.used += amount;
        } else if (session.used >= amount) {
          session.budget.give(amount);
          session.used -= amount;
        }
      }
      const free = 8 - sessions.reduce((sum, { used }) => sum + used, 0);
      expect(all.take(free)).toBeUndefined();
      expect(all.take(1)).toBe("all");
    }),
  );
});
