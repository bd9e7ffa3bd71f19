import { describe, expect, test } from "vitest";
import { ListRedaction } from "../../../../proxy/policy/list-redaction.js";

const row = (pid: number, label: string) => ({ pid, label, cmd: "x", state: "R" });

describe("ListRedaction", () => {
  test("passes the rows and the labels on, and replaces the rows by those that are visible", () => {
    const payload = { rank: 3, procs: [row(1, "a"), row(2, "b")] };
    const redacted = new ListRedaction(["a"], true).redact(payload, (rows, labels) => {
      expect([rows, labels]).toEqual([payload.procs, ["a"]]);
      return rows.slice(0, 1);
    });
    expect(redacted).toEqual({ payload: { rank: 3, procs: [row(1, "a")] }, withheld: false });
  });

  test.each([
    ["not an array", "all of them"],
    ["a row without a pid", [row(1, "a"), { label: "b" }]],
    ["a row without a label", [{ pid: 2 }]],
    ["a row that is not an object", [null]],
  ])("withholds an answer that it cannot read: %s", (_, procs) => {
    const visible = () => expect.unreachable();
    const labeled = new ListRedaction(["a"], true).redact({ rank: 3, procs }, visible);
    expect(labeled).toEqual({ payload: { rank: 3, procs: [] }, withheld: true });
    // A token that shows everything has nothing to withhold.
    const unlimited = new ListRedaction(undefined, true).redact({ rank: 3, procs }, visible);
    expect(unlimited).toEqual({ payload: { rank: 3, procs }, withheld: false });
  });

  test("refuses labels if another rank may answer, rather than show a list that it cannot redact", () => {
    expect(() => new ListRedaction(["a"], false)).toThrow("labels limit a list that another rank may answer");
    expect(() => new ListRedaction([], false)).toThrow();
    for (const [labels, certain] of [
      [["a"], true],
      [undefined, true],
      [undefined, false],
    ] as const) {
      expect(() => new ListRedaction(labels, certain)).not.toThrow();
    }
  });
});
