import { describe, expect, it } from "vitest";
import { closeReason } from "../../../../src/protocol/close-reason.js";

const encoder = new TextEncoder();

describe("closeReason", () => {
  it.each([
    ["", ""],
    ["short", "short"],
    ["x".repeat(123), "x".repeat(123)],
    ["x".repeat(124), "x".repeat(123)],
    ["é".repeat(62), "é".repeat(61)],
    [`x${"😀".repeat(31)}`, `x${"😀".repeat(30)}`],
  ])("is as much as a close frame carries: %j", (text, reason) => {
    expect(closeReason(text)).toBe(reason);
    expect(encoder.encode(reason).length).toBeLessThanOrEqual(123);
  });
});
