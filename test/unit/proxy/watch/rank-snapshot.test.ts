import { describe, expect, test } from "vitest";
import { differenceOf, failureOf, readTable } from "../../../../proxy/watch/rank-snapshot.js";
import { FluxError } from "../../../../src/errors.js";

const row = (pid: number, state = "R") => ({ pid, cmd: "sh", label: "", state });
const answer = (...procs: object[]) => ({ rank: 2, procs });

describe("readTable", () => {
  test("reads the fields of RFC 42, and no others", () => {
    expect(readTable(answer({ ...row(7), x: 1 }), undefined)).toEqual({
      rank: 2,
      rows: new Map([[7, row(7)]]),
    });
  });

  test("gives what was there before where nothing has changed, in whatever order", () => {
    const before = readTable(answer(row(7), row(8)), undefined);
    expect(readTable(answer(row(8), row(7)), before)).toBe(before);
    const after = readTable(answer(row(7), row(8, "Z")), before);
    expect(after).not.toBe(before);
    expect(after.rows.get(7)).toBe(before.rows.get(7));
    expect(after.rows.get(8)).toEqual(row(8, "Z"));
    expect(readTable(answer(row(7)), before)).not.toBe(before);
    expect(readTable({ ...answer(row(7), row(8)), rank: 3 }, before)).not.toBe(before);
    expect(readTable(answer(row(7)), { errno: 1, message: "" }).rows.size).toBe(1);
  });

  test.each([
    [{}],
    [{ rank: 1 }],
    [{ rank: "1", procs: [] }],
    [{ rank: 1, procs: [null] }],
    [{ rank: 1, procs: [{ ...row(1), pid: 1.5 }] }],
    [{ rank: 1, procs: [row(1), { ...row(2), label: undefined }] }],
  ])("refuses what RFC 42 does not have: %j", (payload) => {
    expect(() => readTable(payload, undefined)).toThrow(expect.objectContaining({ code: "EPROTO" }));
  });
});

describe("differenceOf", () => {
  const before = readTable(answer(row(7), row(8)), undefined);

  test("is all there is after nothing, and after a failure", () => {
    const all = { rank: 2, procs: [row(7), row(8)], gone: [] };
    expect(differenceOf(undefined, before)).toEqual(all);
    expect(differenceOf({ errno: 113, message: "" }, before)).toEqual(all);
    expect(differenceOf(undefined, readTable(answer(), undefined))).toEqual({ rank: 2, procs: [], gone: [] });
  });

  test("is what is new or changed, and what is gone", () => {
    const after = readTable(answer(row(8, "Z"), row(9)), before);
    expect(differenceOf(before, after)).toEqual({ rank: 2, procs: [row(8, "Z"), row(9)], gone: [7] });
  });

  test("is nothing where nothing has changed", () => {
    expect(differenceOf(before, readTable(answer(row(7), row(8)), before))).toBeUndefined();
    const failure = { errno: 113, message: "" };
    expect(differenceOf(failure, { ...failure })).toBeUndefined();
    expect(differenceOf(failure, { errno: 110, message: "" })).toEqual({ errno: 110, message: "" });
  });

  test("is every row where another rank has answered", () => {
    const elsewhere = readTable({ ...answer(row(7)), rank: 3 }, before);
    expect(differenceOf(before, elsewhere)).toEqual({ rank: 3, procs: [row(7)], gone: [8] });
  });
});

test("a failure has the broker's text, or none", () => {
  expect(failureOf(new FluxError("EPERM", "no"))).toEqual({ errno: 1, message: "no" });
  expect(failureOf(new FluxError(113))).toEqual({ errno: 113, message: "No route to host" });
});
