import fc from "fast-check";
import { expect, test } from "vitest";
import { closeReason } from "../../../proxy/close-reason.js";

const bytes = (text: string) => new TextEncoder().encode(text).length;

test("a reason that fits stays", () => expect(closeReason("x".repeat(123))).toBe("x".repeat(123)));

test("a reason is cut to 123 bytes between characters", () => {
  expect(closeReason("x".repeat(124))).toBe("x".repeat(123));
  expect(closeReason("é".repeat(62))).toBe("é".repeat(61));
  expect(closeReason("😀".repeat(31))).toBe("😀".repeat(30));
});

test("any text gives a beginning of it that fits and is whole", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) => {
      const reason = closeReason(text);
      expect(text.startsWith(reason)).toBe(true);
      expect(bytes(reason)).toBeLessThanOrEqual(123);
      expect(new TextDecoder().decode(new TextEncoder().encode(reason))).toBe(reason);
      if (bytes(text) <= 123) expect(reason).toBe(text);
    }),
  );
});
