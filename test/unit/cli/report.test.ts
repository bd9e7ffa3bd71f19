import { afterEach, expect, test, vi } from "vitest";
import { Report } from "../../../proxy/cli/report.js";

afterEach(() => void vi.restoreAllMocks());

test.each([
  [false, ["flux-subprocess exec: rank 2 does not answer\n", "flux-subprocess exec: rank 2 answers again\n"]],
  [true, []],
])("a rank that stops answering is a line, and so is its next answer; quiet: %j", (quiet, lines) => {
  const written: unknown[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(text) > 0);
  const report = new Report("exec", "sleep", quiet);
  report.event({ type: "unresponsive", rank: 2 });
  report.event({ type: "responsive", rank: 2 });
  expect([written, report.code]).toEqual([lines, 0]);
});
