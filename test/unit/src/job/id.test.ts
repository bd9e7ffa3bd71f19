import { describe, expect, it, test } from "vitest";
import { f58, jobNumber } from "../../../../src/job/id.js";

// `flux job id --to=f58 NUMBER`, flux-core 0.88
test.each([
  [0n, "ƒ1"],
  [1n, "ƒ2"],
  [57n, "ƒz"],
  [58n, "ƒ21"],
  [12353248690176n, "ƒ6bVwHXsM"],
  [1152921504606846976n, "ƒ3gDmDv6tjHH"],
  [9223372036854775807n, "ƒNQm6nKp8qFC"],
])("%s is %s", (number, text) => {
  expect(f58(number)).toBe(text);
  expect(jobNumber(text)).toBe(number);
});

describe("not a job id", () => {
  it.each([
    "", "ƒ", "f", "ƒ0", "ƒl", "ƒNQm6nKp8qFD", "f111111111111", "-1", "1.5", "1e3", "0x", "9223372036854775808", "ƒƒ1", "6bVwHXsM",
    -1n, 2n ** 63n, 1.5, -1, 2 ** 53, Number.NaN,
  ])("%s", (id) => {
    expect(() => jobNumber(id)).toThrow(/^not a job id: /);
  }); // biome-ignore format: two lines

  it.each([undefined, null, {}, true])("%s", (id) => {
    expect(() => jobNumber(id as never)).toThrow(TypeError);
  });
});
