import { expect, test } from "vitest";
import { Brake } from "../../../../proxy/flow/brake.js";
import { SIGNUM } from "../../../../src/protocol/signals.js";

const MIB = 1024 * 1024;

/** A brake whose process wrote on after the answer to a SIGSTOP. */
function ignored(): Brake {
  const brake = new Brake();
  brake.output(1, true);
  brake.halted();
  expect(brake.output(9 * MIB, true)).toBe(true);
  expect(brake.unheeded).toBe(true);
  return brake;
}

test("a refused signal does not change that a process ignores SIGSTOP", () => {
  const brake = ignored();
  expect(brake.answered(10, false, 0)).toEqual({ signal: undefined, tell: false });
  expect(brake.unheeded).toBe(true);
});

test("a process that its user signals counts no longer as one that ignores SIGSTOP", () => {
  const brake = ignored();
  expect(brake.answered(SIGNUM.SIGCONT, true, 0)).toEqual({ signal: "cont", tell: false });
  expect(brake.unheeded).toBe(false);
});
