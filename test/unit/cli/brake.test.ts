import { expect, test } from "vitest";
import { Brake } from "../../../proxy/cli/brake.js";

const MIB = 1024 * 1024;
const [STOP, CONT] = [19, 18];

test("stops the processes when much waits, and lets them continue once", () => {
  const sent: number[] = [];
  let drained = () => {};
  const brake = new Brake(
    (signum) => sent.push(signum),
    (callback) => {
      drained = callback;
    },
  );
  brake.check(8 * MIB - 1);
  expect(sent).toEqual([]);
  brake.check(8 * MIB);
  brake.check(9 * MIB);
  expect(sent).toEqual([STOP]);
  brake.check(16 * MIB); // from a rank that has started in between
  expect(sent).toEqual([STOP, STOP]);
  drained();
  brake.release();
  expect(sent).toEqual([STOP, STOP, CONT]);
});
