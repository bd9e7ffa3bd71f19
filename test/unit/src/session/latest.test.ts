import { expect, it } from "vitest";
import { Latest } from "../../../../src/session/latest.js";
import { Recorder } from "../../../support/peer.js";

it("a later subscriber gets only the new value if an earlier one changes it", () => {
  const latest = new Latest<number>();
  latest.subscribe((value) => value === 1 && latest.next(2));
  const recorder = new Recorder<number>();
  latest.subscribe(recorder);
  latest.next(1);
  latest.next(3);
  expect(recorder.values).toEqual([2, 3]);
});
