import { expect, it } from "vitest";
import { exec, type Target } from "../../../../src/index.js";
import { openFlux, Recorder, settled } from "../../../support/peer.js";

it.each<[Target, string]>([
  [3, "3"],
  [[0, 1], "0,1"],
  [[10, 9, 9, 2], "2,9,10"],
  ["any", "any"],
  ["all", "all"],
  ["0-3,7", "0-3,7"],
])("%j is the nodeid %s", async (nodeid, sent) => {
  const { flux, proxy } = await openFlux();
  exec(flux, ["a"], { nodeid }).subscribe(new Recorder());
  await settled();
  expect(proxy.requests.map((request) => request.nodeid)).toEqual([sent]);
});

it.each<[unknown, string]>([
  [[], "nodeid is an empty idset"],
  [[0, -1], "a rank in nodeid is not an integer of 0 to 4294967294"],
  [[0, "1-3"], "a rank in nodeid is not an integer of 0 to 4294967294"],
  [["any"], "a rank in nodeid is not an integer"],
  [{ rank: 0 }, "nodeid is not a rank, an array of ranks or a string"],
  [null, "nodeid is not a rank, an array of ranks or a string"],
  [1.5, "nodeid is not an integer of 0 to 4294967294"],
  ["", "nodeid is an empty idset"],
])("%j is refused at once", async (nodeid, message) => {
  const { flux } = await openFlux();
  expect(() => exec(flux, ["a"], { nodeid: nodeid as Target })).toThrow(TypeError);
  expect(() => exec(flux, ["a"], { nodeid: nodeid as Target })).toThrow(message);
});
