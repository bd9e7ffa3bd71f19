import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import { errnoName, errnoOf, FluxError, type FluxErrorCode } from "../../../src/errors.js";
import { encodeIdset } from "../../../src/protocol/idset.js";

describe("errno", () => {
  // Names that Linux has twice: EWOULDBLOCK is EAGAIN, ENOTSUP is EOPNOTSUPP.
  const linux = Object.entries(constants.errno).filter(
    ([name]) => name !== "EWOULDBLOCK" && name !== "ENOTSUP",
  );

  it.runIf(process.platform === "linux")("names are Linux's", () => {
    for (const [name, number] of linux) {
      expect([errnoName(number), errnoOf(name as FluxErrorCode)]).toEqual([name, number]);
    }
  });

  it("names are one to one", () => {
    const names = Array.from({ length: 133 }, (_, i) => errnoName(i + 1));
    // Linux does not use 41 and 58.
    // 41 and 58 are none of Linux; the others are System V's, without a use in Linux.
    const systemV = "44-57,59,64-65,68-70,73,76,78-83,86,118-120";
    const without = names.flatMap((name, i) => (name === "EUNKNOWN" ? [i + 1] : []));
    expect(encodeIdset(without.filter((errno) => errno !== 41 && errno !== 58))).toBe(systemV);
    expect(without).toEqual(expect.arrayContaining([41, 58]));
    expect(new Set(names).size).toBe(names.length - without.length + 1);
    expect([errnoOf("ECANCELED"), errnoOf("EHWPOISON"), errnoName(61)]).toEqual([125, 133, "ENODATA"]);
  });

  it.each([0, -1, 41, 134, 1.5, Number.NaN])("%d has no name", (errno) => {
    expect(errnoName(errno)).toBe("EUNKNOWN");
  });
});

describe("FluxError", () => {
  it("is made of a number or of a name", () => {
    for (const error of [new FluxError(2, "gone"), new FluxError("ENOENT", "gone")]) {
      expect(error).toMatchObject({ name: "FluxError", errno: 2, code: "ENOENT", message: "gone" });
      expect([error.topic, error.rank, "cause" in error]).toEqual([undefined, undefined, false]);
    }
  });

  it("has the name as its message where the broker had no text", () => {
    expect([new FluxError(3).message, new FluxError(3, "").message, new FluxError(999).message]).toEqual([
      "ESRCH",
      "ESRCH",
      "EUNKNOWN",
    ]);
  });

  it("keeps where it came from", () => {
    const cause = new Error("why");
    const error = new FluxError("EPERM", "no", { topic: "rexec.kill", rank: 0, cause });
    expect(error).toMatchObject({ topic: "rexec.kill", rank: 0, cause });
    expect(error).toBeInstanceOf(Error);
  });
});
