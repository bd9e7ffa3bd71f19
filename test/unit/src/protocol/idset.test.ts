import { describe, expect, it } from "vitest";
import { decodeIdset, encodeIdset, MAX_IDS } from "../../../../src/protocol/idset.js";

describe("idset", () => {
  it.each([
    ["0", [0]],
    ["7", [7]],
    ["0-3,7", [0, 1, 2, 3, 7]],
    ["[0-3,7]", [0, 1, 2, 3, 7]],
    ["[5]", [5]],
    ["", []],
    ["[]", []],
    ["4294967294", [4294967294]],
    ["4294967293-4294967294", [4294967293, 4294967294]],
  ])("decodes %j", (text, ids) => {
    expect(decodeIdset(text)).toEqual(ids);
  });

  it.each([
    "a",
    "-1",
    "1-",
    "-",
    ",",
    "1,",
    ",1",
    "1 ",
    " 1",
    "1\n",
    "1, 2",
    "01",
    "0x1",
    "1e3",
    "+1",
    "1.5",
    "1--2",
    "1-2-3",
    "[1",
    "1]",
    "[[1]]",
    "[1],[2]",
    "any",
    "٣",
    ...["3-2", "2-2", "4294967295", "99999999999999999999", "0-4294967295"],
    ...["2,1", "1,1", "0-3,3", "0-3,2-5", "5,0-3"],
  ])("refuses %j", (text) => {
    const error = new TypeError(`not an idset in ascending order: ${JSON.stringify(text)}`);
    expect(() => decodeIdset(text)).toThrow(error);
  });

  it("takes as many ids as a set may have, and not one more", () => {
    expect(decodeIdset(`0-${MAX_IDS - 1}`)).toHaveLength(MAX_IDS);
    expect(decodeIdset(`0-${MAX_IDS - 2},70000`).at(-1)).toBe(70000);
    const error = new TypeError(`idset has more than ${MAX_IDS} ids`);
    expect(() => decodeIdset(`0-${MAX_IDS}`)).toThrow(error);
    expect(() => decodeIdset(`0-${MAX_IDS - 1},70000`)).toThrow(error);
    expect(() => decodeIdset("0-4294967294")).toThrow(error);
  });

  it.each([
    [[], ""],
    [[0], "0"],
    [[0, 1], "0-1"],
    [[0, 2], "0,2"],
    [[0, 1, 2, 7], "0-2,7"],
    [[1, 3, 4, 5, 9, 10], "1,3-5,9-10"],
  ])("encodes %j", (ids, text) => {
    expect(encodeIdset(ids)).toBe(text);
  });
});
