import { expect, test } from "vitest";
import { Interrupts } from "../../../proxy/cli/interrupt.js";

test("the third Ctrl-C leaves, if it comes within a second of the second", () => {
  const interrupts = new Interrupts();
  expect([0, 400, 1399].map((now) => interrupts.next(now))).toEqual(["forward", "warn", "leave"]);
});

test("a Ctrl-C that comes later is forwarded again", () => {
  const interrupts = new Interrupts();
  expect([0, 1, 1001, 1500].map((now) => interrupts.next(now))).toEqual(["forward", "warn", "warn", "leave"]);
});
